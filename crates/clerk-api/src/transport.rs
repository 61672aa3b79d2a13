//! One attempt of one request: what is sent, and how much of an answer is read.

use std::time::{Duration, SystemTime};

use bytes::{Bytes, BytesMut};
use reqwest::header::{ACCEPT, CONTENT_TYPE, DATE, HeaderMap, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Method, Proxy, Response, StatusCode};
use rustls::crypto::{CryptoProvider, ring};
use tokio::time::timeout;
use url::Url;

use crate::error::{ApiError, RequestError};
use crate::options::{ClientError, ClientOptions};
use crate::peer::Peer;

/// By which the sender knows that a request was repeated.
const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// What the edge in front of Clerk names a request by.
const RAY_HEADER: &str = "cf-ray";
/// How long it may take to connect.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Bytes of an error's answer that are read; the rest is cut off.
const ERROR_BYTES_MAX: usize = 64 << 10;
/// Characters of a message, a code or a trace id; the rest is cut off.
const MESSAGE_CHARS_MAX: usize = 300;

/// An answer of status 2xx.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) body: Bytes,
    pub(crate) answered_at: Option<SystemTime>,
}

/// What is asked of the server.
pub(crate) struct Call {
    method: Method,
    url: Url,
    /// JSON.
    body: Option<Vec<u8>>,
    idempotency_key: Option<String>,
}

/// The HTTP client with the credentials.
pub(crate) struct Transport {
    client: reqwest::Client,
    peer: Peer,
    timeout: Duration,
    answer_bytes_max: usize,
}

impl Call {
    pub(crate) fn get(url: Url) -> Self {
        Self { method: Method::GET, url, body: None, idempotency_key: None }
    }

    pub(crate) fn post(url: Url, body: Option<Vec<u8>>) -> Self {
        Self { method: Method::POST, url, body, idempotency_key: None }
    }

    pub(crate) fn patch(url: Url, body: Vec<u8>) -> Self {
        Self { method: Method::PATCH, url, body: Some(body), idempotency_key: None }
    }

    /// All attempts of this call are one to the server.
    pub(crate) fn once(self, idempotency_key: String) -> Self {
        Self { idempotency_key: Some(idempotency_key), ..self }
    }
}

impl Transport {
    pub(crate) fn new(peer: Peer, options: &ClientOptions) -> Result<Self, ClientError> {
        if CryptoProvider::get_default().is_none() {
            // Another thread may have been quicker: then its provider is the one.
            let _ = ring::default_provider().install_default();
        }
        let client = http_client(options).map_err(ClientError::Http)?;
        let (timeout, answer_bytes_max) = (options.timeout, options.answer_bytes_max);
        Ok(Self { client, peer, timeout, answer_bytes_max })
    }

    /// Sends the request once.
    pub(crate) async fn send(&self, call: &Call) -> Result<Answer, RequestError> {
        timeout(self.timeout, self.attempt(call))
            .await
            .unwrap_or(Err(RequestError::TimedOut(self.timeout)))
    }

    async fn attempt(&self, call: &Call) -> Result<Answer, RequestError> {
        let mut request = self
            .client
            .request(call.method.clone(), call.url.clone())
            .headers(self.peer.headers())
            .header(ACCEPT, "application/json");
        if let Some(body) = &call.body {
            request = request.header(CONTENT_TYPE, "application/json").body(body.clone());
        }
        if let Some(key) = &call.idempotency_key {
            request = request.header(IDEMPOTENCY_KEY, key);
        }
        let response = request.send().await.map_err(connection)?;
        let status = response.status();
        if status.is_success() {
            let answered_at = text(response.headers(), DATE.as_str())
                .and_then(|date| httpdate::parse_http_date(&date).ok());
            let body = self.whole_body(response).await?;
            return Ok(Answer { body, answered_at });
        }
        if status == StatusCode::TOO_MANY_REQUESTS {
            let seconds = text(response.headers(), RETRY_AFTER.as_str());
            let retry_after = seconds.and_then(|seconds| seconds.parse().ok());
            return Err(RequestError::RateLimited {
                retry_after: retry_after.map(Duration::from_secs),
            });
        }
        let error = self.api_error(response).await;
        Err(if status.is_server_error() {
            RequestError::Failed(error)
        } else {
            RequestError::Rejected(error)
        })
    }

    async fn whole_body(&self, mut response: Response) -> Result<Bytes, RequestError> {
        let bytes_max = self.answer_bytes_max;
        let announced = response
            .content_length()
            .map_or(0, |bytes| usize::try_from(bytes).unwrap_or(usize::MAX));
        if announced > bytes_max {
            return Err(RequestError::TooLarge { bytes_max });
        }
        let mut body = BytesMut::with_capacity(announced);
        while let Some(piece) = response.chunk().await.map_err(connection)? {
            if piece.len() > bytes_max - body.len() {
                return Err(RequestError::TooLarge { bytes_max });
            }
            body.extend_from_slice(&piece);
        }
        Ok(body.freeze())
    }

    /// What the answer says of an error. The status alone is enough.
    async fn api_error(&self, mut response: Response) -> ApiError {
        let status = response.status();
        let ray = text(response.headers(), RAY_HEADER);
        let mut body = BytesMut::new();
        while let Ok(Some(piece)) = response.chunk().await {
            let piece = &piece[..piece.len().min(ERROR_BYTES_MAX - body.len())];
            body.extend_from_slice(piece);
            if body.len() == ERROR_BYTES_MAX {
                break;
            }
        }
        let said = self.peer.said(&body);
        let plain = |text: String| self.plain(&text);
        ApiError {
            status: status.as_u16(),
            code: said.code.map(plain),
            message: said.message.map(plain).filter(|text| !text.is_empty()).unwrap_or_else(|| {
                status.canonical_reason().unwrap_or("an unknown status").to_owned()
            }),
            trace_id: said.trace_id.or(ray).map(plain),
        }
    }

    /// Somebody else's text, fit for an error: one line of bounded length, without the credentials.
    fn plain(&self, text: &str) -> String {
        let text = self.peer.redact(text);
        let plain = |letter: char| if letter.is_control() { ' ' } else { letter };
        text.chars().map(plain).take(MESSAGE_CHARS_MAX).collect::<String>().trim().to_owned()
    }
}

/// A client that follows no redirects, as they would take the key elsewhere, and uses no proxy of the environment.
fn http_client(options: &ClientOptions) -> reqwest::Result<reqwest::Client> {
    let mut builder = reqwest::Client::builder()
        .redirect(Policy::none())
        .referer(false)
        .no_proxy()
        .connect_timeout(CONNECT_TIMEOUT)
        .user_agent(concat!("clerk-api/", env!("CARGO_PKG_VERSION")));
    if let Some(proxy) = &options.proxy {
        builder = builder.proxy(Proxy::all(proxy.clone())?);
    }
    if !options.ca_certificates_pem.is_empty() {
        let certificates = Certificate::from_pem_bundle(&options.ca_certificates_pem)?;
        builder = builder.tls_certs_merge(certificates);
    }
    builder.build()
}

fn connection(error: reqwest::Error) -> RequestError {
    RequestError::Connection(error.without_url())
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    Some(headers.get(name)?.to_str().ok()?.trim().to_owned())
}
