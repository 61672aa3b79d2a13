//! Requests to the services' APIs.
//!
//! Their addresses are the operator's own config: there is no guard against private ones here.

use std::error::Error;

use bytes::Bytes;
use deskbell_config::{HttpUrl, SecretText};
use deskbell_store::clock;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, Proxy, Url};
use serde_json::Value as Json;
use tokio::time::{Instant, timeout_at};

use crate::attempt::{Attempt, Outcome, reply_outcome};
use crate::reply;
use crate::words::one_line;

/// Characters of somebody else's words in a reason; the rest is cut off.
const WORDS_CHARS_MAX: usize = 300;
/// Shorter secrets are not looked for in replies: they would be found in any text.
const SECRET_BYTES_MIN: usize = 8;

/// A client of one service.
#[derive(Debug)]
pub(crate) struct Api {
    client: Client,
    /// The service's name, for reasons.
    service: &'static str,
    /// What may never stand in a reason: the API key, or the path of the URL.
    secret: SecretText,
}

/// A request to a service.
#[derive(Debug)]
pub(crate) struct ApiRequest<'a> {
    pub(crate) method: Method,
    pub(crate) url: Url,
    /// The value of `Authorization`, if there is one.
    pub(crate) authorization: Option<&'a HeaderValue>,
    pub(crate) idempotency_key: Option<String>,
    pub(crate) body: &'a Json,
}

#[derive(Debug)]
pub(crate) struct ApiReply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// No client can be made: the system has no certificates, or no provider of cryptography is
/// installed.
#[derive(Debug, thiserror::Error)]
#[error("failed to set up the HTTP client")]
pub(crate) struct ClientError(#[source] reqwest::Error);

/// An API key that cannot stand in a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the API key is empty, or has characters in it that cannot be sent")]
pub(crate) struct BadApiKey;

impl Api {
    /// A client of this service, through the proxy where there is one.
    pub(crate) fn new(
        service: &'static str,
        secret: SecretText,
        proxy: Option<&HttpUrl>,
    ) -> Result<Self, ClientError> {
        let builder = Client::builder()
            .redirect(Policy::none())
            .user_agent(concat!("Deskbell/", env!("CARGO_PKG_VERSION")));
        let client = with_proxy(builder, proxy).and_then(ClientBuilder::build);
        Ok(Self { client: client.map_err(ClientError)?, service, secret })
    }

    /// Sends a request; `judge` says what follows from the reply.
    pub(crate) async fn attempt(
        &self,
        request: ApiRequest<'_>,
        deadline: Instant,
        judge: impl Fn(&ApiReply) -> Outcome,
    ) -> Attempt {
        let mut response = match timeout_at(deadline, self.begin(request).send()).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => return Attempt::failed(self.failure(error)),
            Err(_) => {
                return Attempt::failed(format!("{} did not answer in time", self.service));
            }
        };
        let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
        // The status is known: a body that breaks off or is late takes nothing from it.
        let reply = ApiReply { status, headers, body: reply::read(response, deadline).await };
        let outcome = judge(&reply);
        Attempt { outcome, status: Some(status.as_u16()), reply: reply.body }
    }

    /// Why a reply is no success, with the service's own words.
    pub(crate) fn reason(&self, reply: &ApiReply, words: &str) -> String {
        let (service, status) = (self.service, reply.status.as_u16());
        match self.plain(words).as_str() {
            "" => format!("{service} answered {status}"),
            words => format!("{service} answered {status}: {words}"),
        }
    }

    fn begin(&self, request: ApiRequest<'_>) -> reqwest::RequestBuilder {
        let mut builder = self
            .client
            .request(request.method, request.url)
            .header(CONTENT_TYPE, "application/json")
            .body(request.body.to_string());
        if let Some(authorization) = request.authorization {
            builder = builder.header(AUTHORIZATION, authorization.clone());
        }
        if let Some(key) = request.idempotency_key {
            builder = builder.header("idempotency-key", key);
        }
        builder
    }

    /// Why there is no reply: without the URL, which may be a secret.
    fn failure(&self, error: reqwest::Error) -> String {
        let error = error.without_url();
        let what = if error.is_connect() { "cannot be reached" } else { "broke off" };
        let mut causes = String::new();
        let mut source = error.source();
        while let Some(cause) = source {
            causes = cause.to_string();
            source = cause.source();
        }
        let causes = self.plain(&causes);
        format!("{} {what}: {causes}", self.service)
    }

    /// The words of somebody else, fit for a reason: bounded, in one line, without the secret.
    fn plain(&self, text: &str) -> String {
        let secret = self.secret.expose();
        let text = if secret.len() >= SECRET_BYTES_MIN {
            text.replace(secret, "(redacted)")
        } else {
            text.to_owned()
        };
        one_line(&text).chars().take(WORDS_CHARS_MAX).collect::<String>().trim().to_owned()
    }
}

/// Has the client go through this proxy, or through none: the environment's (`HTTP_PROXY`) is for
/// other programs, and would see what is sent without having been asked for.
pub(crate) fn with_proxy(
    builder: ClientBuilder,
    proxy: Option<&HttpUrl>,
) -> reqwest::Result<ClientBuilder> {
    Ok(match proxy {
        Some(proxy) => builder.no_proxy().proxy(Proxy::all(proxy.expose_secrets().clone())?),
        None => builder.no_proxy(),
    })
}

impl ApiReply {
    /// What the status and `Retry-After` say, with `reason` for why it is not success.
    pub(crate) fn retry(&self, reason: String) -> Outcome {
        match reply_outcome(self.status, &self.headers, clock::now()) {
            Outcome::Retry { after, .. } => Outcome::Retry { after, reason },
            _ => Outcome::Retry { after: None, reason },
        }
    }

    /// A text member of the reply, where it is a JSON object.
    pub(crate) fn member(&self, name: &str) -> Option<String> {
        let reply: Json = serde_json::from_slice(&self.body).ok()?;
        reply.get(name)?.as_str().map(str::to_owned)
    }
}

/// The value of `Authorization` for an API key.
pub(crate) fn bearer(key: &SecretText) -> Result<HeaderValue, BadApiKey> {
    let key = key.expose();
    if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(BadApiKey);
    }
    let mut value = HeaderValue::from_str(&format!("Bearer {key}")).map_err(|_| BadApiKey)?;
    value.set_sensitive(true);
    Ok(value)
}

/// A receiver's scheme, host and port: the rest of its URL may be a secret.
pub(crate) fn receiver(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    let port = url.port().map_or_else(String::new, |port| format!(":{port}"));
    format!("{}://{host}{port}", url.scheme())
}

/// The base of the API: that of the config, or the service's own.
pub(crate) fn base_url_or(config: Option<&HttpUrl>, own: &str) -> Url {
    let own = || own.parse().expect("the constant is a URL");
    config.map_or_else(own, |url| url.expose_secrets().clone())
}

/// An address of the API: the base may have a path of its own.
pub(crate) fn endpoint(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    url.set_path(&format!("{}/{path}", base.path().trim_end_matches('/')));
    url
}
