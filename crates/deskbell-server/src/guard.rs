//! In front of every route that is not public: who asks, whether they may, and what it may cost. A
//! route that is in no table is refused whoever asks.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};
use deskbell_admin::{Caller, Need, Route};
use deskbell_store::TokenRole;
use http::header::{LOCATION, REFRESH};
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderName, HeaderValue, Method, StatusCode};
use http_body::Body as _;
use tokio::time::{sleep, timeout};

use crate::access::{Access, Credentials};
use crate::admin_body;
use crate::admin_state::AdminState;
use crate::admin_token::shown_token;
use crate::body::{BodyBytes, BodyReader, Timeliness};
use crate::client::Client;
use crate::next_path;
use crate::once_a_minute::OnceAMinute;
use crate::problem::{Cause, Problem};
use crate::replies;
use crate::reply_headers;
use crate::session_cookie;
use crate::site::{self, Site};
use crate::slots::Slots;
use route_table::{NoRoute, RouteTable};

mod route_table;

/// How long an answer may take to begin; then 503. A body that is a stream may go on.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);
/// How often it is looked whether whoever follows a stream still may.
const RECHECK_INTERVAL: Duration = Duration::from_secs(30);
/// Paths of pages, which a person sees.
const PAGES: &str = "/dashboard";
/// How htmx asks for a part of a page, and is sent to another.
const HX_REQUEST: HeaderName = HeaderName::from_static("hx-request");
const HX_REDIRECT: HeaderName = HeaderName::from_static("hx-redirect");

/// The state of the guard: the table of routes, and who may use them.
#[derive(Debug)]
pub(crate) struct Guard {
    table: RouteTable,
    access: Arc<Access>,
    site: Arc<Site>,
    slots: Slots,
    body: BodyReader,
    failed: OnceAMinute,
}

impl Guard {
    /// Lets through what these tables have.
    pub(crate) fn new(
        tables: &[&[Route]],
        access: Arc<Access>,
        site: Arc<Site>,
        state: &AdminState,
    ) -> Self {
        Self {
            table: RouteTable::new(tables),
            access,
            site,
            slots: state.slots.clone(),
            body: state.bodies.clone(),
            failed: OnceAMinute::new(),
        }
    }
}

/// Answers a request for an admin route, or refuses it.
pub(crate) async fn guard(
    State(guard): State<Arc<Guard>>,
    request: Request,
    next: Next,
) -> Response {
    let (head, mut body) = request.into_parts();
    let method = head.method.clone();
    let mut reply = match guard.admit(head, &mut body).await {
        Ok(admitted) => guard.answer(admitted, next).await,
        // What is left of the body is not read.
        Err(reply) if !body.is_end_stream() => replies::closing(reply),
        Err(reply) => reply,
    };
    guard.log(&method, &reply);
    reply_headers::protect(reply.headers_mut());
    reply
}

/// A request that may be answered.
struct Admitted {
    head: Parts,
    path: MatchedPath,
    need: Need,
    credentials: Credentials,
    body: Option<BodyBytes>,
}

impl Guard {
    /// Checks everything that can be checked without the route, and reads the body.
    async fn admit(&self, mut head: Parts, body: &mut Body) -> Result<Admitted, Response> {
        let path = head.extensions.get::<MatchedPath>().cloned();
        let need = self.table.need(&head.method, path.as_ref().map(MatchedPath::as_str));
        let (Ok(need), Some(path)) = (need.clone(), path) else {
            return Err(refuse_route(need.err()).into_response());
        };
        let credentials = match need {
            Need::Nothing => {
                self.check_own(&head).map_err(IntoResponse::into_response)?;
                Credentials::Nothing
            }
            Need::Role(role) => {
                let (credentials, caller) = self.identify(&head, role).await?;
                head.extensions.insert(caller);
                credentials
            }
        };
        let client = head.extensions.get::<Arc<Client>>().map(|client| &**client);
        let body = match body.is_end_stream() {
            true => None,
            false => match self.body.read(body, Timeliness::InTime, client).await {
                Ok(bytes) => Some(bytes),
                Err(error) => return Err(admin_body::problem(error).into_response()),
            },
        };
        Ok(Admitted { head, path, need, credentials, body })
    }

    async fn identify(
        &self,
        head: &Parts,
        role: TokenRole,
    ) -> Result<(Credentials, Caller), Response> {
        let credentials = self.access.credentials(&head.headers, self.site.is_secure(head));
        let caller = match self.access.caller(&credentials, self.site.client(head)).await {
            Ok(Some(caller)) => caller,
            Ok(None) => return Err(self.refuse_stranger(head)),
            Err(error) => return Err(Problem::from(error).into_response()),
        };
        if let Credentials::Session(_) = credentials {
            self.check_own(head).map_err(IntoResponse::into_response)?;
        }
        let allowed = self.access.check_role(caller.role, role);
        allowed.map_err(IntoResponse::into_response)?;
        Ok((credentials, caller))
    }

    /// Refuses a change that another site has a browser ask for.
    fn check_own(&self, head: &Parts) -> Result<(), Problem> {
        if head.method.is_safe() {
            return Ok(());
        }
        self.site.check_own(head).map_err(|error| {
            self.access.report(&error.to_string());
            Problem::new(StatusCode::FORBIDDEN, "foreign_origin", error.to_string())
        })
    }

    /// Has a person sign in; refuses a program.
    fn refuse_stranger(&self, head: &Parts) -> Response {
        if !is_page(head.uri.path()) || shown_token(&head.headers).is_some() {
            return self.access.refuse_stranger(&head.headers);
        }
        if head.headers.contains_key(HX_REQUEST) {
            let mut reply = Problem::unauthorized().into_response();
            set(&mut reply, HX_REDIRECT, &next_path::sign_in_for(next_path::START));
            return reply;
        }
        if !matches!(head.method, Method::GET | Method::HEAD) {
            return self.access.refuse_stranger(&head.headers);
        }
        let asked = head.uri.path_and_query().map_or(next_path::START, PathAndQuery::as_str);
        let is_secure = self.site.is_secure(head);
        if site::is_led_from_elsewhere(&head.headers)
            && session_cookie::secret(&head.headers, is_secure).is_none()
        {
            return again_from_here(asked);
        }
        let mut reply = StatusCode::SEE_OTHER.into_response();
        set(&mut reply, LOCATION, &next_path::sign_in_for(asked));
        reply
    }

    async fn answer(&self, admitted: Admitted, next: Next) -> Response {
        let Admitted { head, path, need, credentials, body } = admitted;
        let _slot = match self.slots.take(path.as_str(), need) {
            Ok(slot) => slot,
            Err(problem) => return problem.into_response(),
        };
        let ended = self.end_of_stream(&head, need, credentials);
        let bytes = body.as_ref().map(|body| body.bytes.clone()).unwrap_or_default();
        let request = Request::from_parts(head, Body::from(bytes));
        match timeout(ANSWER_TIMEOUT, next.run(request)).await {
            Ok(reply) => self.slots.bound_stream(reply, ended),
            Err(_) => {
                let detail = "the answer took too long; ask for less, or try again";
                Problem::unavailable("timed_out", detail, "it took too long").into_response()
            }
        }
    }

    /// Returns when a reply that goes on has to end: the server stops, or the session or the token has
    /// ended.
    fn end_of_stream(
        &self,
        head: &Parts,
        need: Need,
        credentials: Credentials,
    ) -> impl Future<Output = ()> + Send + 'static {
        let client = head.extensions.get::<Arc<Client>>();
        let stopping = client.map(|client| client.stopping.clone()).unwrap_or_default();
        let (access, client) = (Arc::clone(&self.access), self.site.client(head));
        let barred = async move {
            let Need::Role(role) = need else { return std::future::pending().await };
            loop {
                sleep(RECHECK_INTERVAL).await;
                match access.caller(&credentials, client).await {
                    Ok(Some(caller)) if caller.role >= role => {}
                    Ok(_) => return,
                    Err(error) => tracing::debug!(%error, "cannot look whether a stream may go on"),
                }
            }
        };
        async move {
            tokio::select! {
                () = stopping.cancelled_owned() => {}
                () = barred => {}
            }
        }
    }

    /// Logs why a request could not be answered.
    fn log(&self, method: &Method, reply: &Response) {
        let Some(Cause(error)) = reply.extensions().get::<Cause>() else { return };
        match self.failed.count() {
            Some(requests) => {
                tracing::warn!(requests, %method, error, "cannot answer requests to admin routes");
            }
            None => tracing::debug!(%method, error, "cannot answer a request to an admin route"),
        }
    }
}

fn refuse_route(error: Option<NoRoute>) -> Problem {
    match error {
        Some(NoRoute::Method { allow }) => Problem::method_not_allowed(allow),
        Some(NoRoute::Path) | None => Problem::not_found("there is no such route"),
    }
}

fn is_page(path: &str) -> bool {
    path.strip_prefix(PAGES).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Has the browser ask again, as from a page of ours: it left its cookies out because another site's link
/// led here.
fn again_from_here(asked: &str) -> Response {
    let mut reply = Html("<!doctype html><title>Deskbell</title>").into_response();
    set(&mut reply, REFRESH, &format!("0;url={}", next_path::local_or_start(asked)));
    reply
}

fn set(reply: &mut Response, header: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        reply.headers_mut().insert(header, value);
    }
}
