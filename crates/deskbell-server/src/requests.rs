//! What every request goes through before its route.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{HOST, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderValue, Request, Version};
use http_body::Body as _;
use hyper::body::Incoming;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;

use crate::client::{Client, Phase};
use crate::health;
use crate::once_a_minute::OnceAMinute;
use crate::replies::{self, Refusal};
use crate::streaming::StreamingBody;

/// The routes, and what all connections share in front of them.
#[derive(Clone)]
pub(crate) struct Requests {
    router: TowerToHyperService<Router>,
    shared: Arc<Shared>,
}

struct Shared {
    malformed: OnceAMinute,
    crowded: OnceAMinute,
}

impl Requests {
    pub(crate) fn new(router: Router) -> Self {
        let shared = Shared { malformed: OnceAMinute::new(), crowded: OnceAMinute::new() };
        Self { router: TowerToHyperService::new(router), shared: Arc::new(shared) }
    }

    pub(crate) fn of(&self, client: &Arc<Client>) -> ClientRequests {
        ClientRequests { requests: self.clone(), client: Arc::clone(client) }
    }

    /// Says that something came which is no good HTTP request.
    pub(crate) fn refuse_malformed(&self, error: &dyn std::fmt::Display) {
        match self.shared.malformed.count() {
            Some(refused) => tracing::warn!(refused, %error, "rejected malformed requests"),
            None => tracing::debug!(%error, "rejected a malformed request"),
        }
    }

    fn refuse(&self, malformed: &Malformed) -> Response {
        self.refuse_malformed(malformed);
        replies::closing(replies::malformed())
    }

    fn refuse_crowded(&self) -> Response {
        let error = "too many requests in flight";
        match self.shared.crowded.count() {
            Some(refused) => tracing::warn!(refused, error, "rejected requests"),
            None => tracing::debug!(error, "rejected a request"),
        }
        replies::closing(Refusal::Overloaded.into_response())
    }
}

/// The requests of one connection.
pub(crate) struct ClientRequests {
    requests: Requests,
    client: Arc<Client>,
}

impl Service<Request<Incoming>> for ClientRequests {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let (client, requests) = (Arc::clone(&self.client), self.requests.clone());
        Box::pin(async move {
            let answered = Answered(&client);
            let reply = if client.enter(Phase::Busy) || health::is_about(request.uri().path()) {
                requests.answer(request, &client).await
            } else {
                requests.refuse_crowded()
            };
            drop(answered);
            Ok(if reply.body().size_hint().exact().is_some() {
                reply
            } else {
                client.enter(Phase::Busy);
                reply.map(|body| Body::new(StreamingBody::new(body, client)))
            })
        })
    }
}

/// The connection idles once this is dropped.
struct Answered<'a>(&'a Client);

impl Drop for Answered<'_> {
    fn drop(&mut self) {
        self.0.enter(Phase::Idle);
    }
}

impl Requests {
    async fn answer(&self, mut request: Request<Incoming>, client: &Arc<Client>) -> Response {
        if let Err(malformed) = check(request.version(), request.headers()) {
            return self.refuse(&malformed);
        }
        request.extensions_mut().insert(Arc::clone(client));
        match self.router.call(request).await {
            Ok(reply) => reply,
            Err(never) => match never {},
        }
    }
}

/// A request that two programs could read in two ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
enum Malformed {
    #[error("the request has no Host header")]
    NoHost,
    #[error("the request has more than one Host header")]
    SeveralHosts,
    #[error("expected Transfer-Encoding `chunked` and nothing else")]
    TransferEncoding,
}

/// Whether the head is as <https://www.rfc-editor.org/rfc/rfc9112> wants it, where hyper is lenient.
fn check(version: Version, headers: &HeaderMap) -> Result<(), Malformed> {
    let mut hosts = headers.get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (None, _) if version >= Version::HTTP_11 => return Err(Malformed::NoHost),
        (_, Some(_)) => return Err(Malformed::SeveralHosts),
        _ => {}
    }
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    let is_chunked =
        |coding: &HeaderValue| coding.as_bytes().trim_ascii().eq_ignore_ascii_case(b"chunked");
    match (codings.next(), codings.next()) {
        (None, _) => Ok(()),
        (Some(coding), None) if is_chunked(coding) => Ok(()),
        _ => Err(Malformed::TransferEncoding),
    }
}
