//! One attempt of one request: what is sent, and how much of an answer is read.

use std::time::{Duration, SystemTime};

use bytes::{Bytes, BytesMut};
use reqwest::header::{ACCEPT, AUTHORIZATION, DATE, HeaderMap, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Proxy, Response, StatusCode};
use rustls::crypto::{CryptoProvider, ring};
use serde::Deserialize;
use tokio::time::timeout;
use url::Url;

use crate::error::{ApiError, RequestError};
use crate::options::{ClientError, ClientOptions};
use crate::secret_key::SecretKey;

/// The version of the API that this client is written for.
pub const API_VERSION: &str = "2026-05-12";
const API_VERSION_HEADER: &str = "clerk-api-version";
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

/// The HTTP client with the key.
pub(crate) struct Transport {
    client: reqwest::Client,
    key: SecretKey,
    timeout: Duration,
    answer_bytes_max: usize,
}

#[derive(Deserialize)]
struct ErrorBody {
    errors: Vec<ErrorEntry>,
    clerk_trace_id: Option<String>,
}

#[derive(Deserialize)]
struct ErrorEntry {
    code: Option<String>,
    message: Option<String>,
    long_message: Option<String>,
}

impl Transport {
    pub(crate) fn new(key: SecretKey, options: &ClientOptions) -> Result<Self, ClientError> {
        if CryptoProvider::get_default().is_none() {
            // Another thread may have been quicker: then its provider is the one.
            let _ = ring::default_provider().install_default();
        }
        let client = http_client(options).map_err(ClientError::Http)?;
        let (timeout, answer_bytes_max) = (options.timeout, options.answer_bytes_max);
        Ok(Self { client, key, timeout, answer_bytes_max })
    }

    /// Sends the request once.
    pub(crate) async fn get(&self, url: Url) -> Result<Answer, RequestError> {
        timeout(self.timeout, self.attempt(url))
            .await
            .unwrap_or(Err(RequestError::TimedOut(self.timeout)))
    }

    async fn attempt(&self, url: Url) -> Result<Answer, RequestError> {
        let request = self
            .client
            .get(url)
            .header(AUTHORIZATION, self.key.authorization())
            .header(API_VERSION_HEADER, API_VERSION)
            .header(ACCEPT, "application/json");
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
        let body: Option<ErrorBody> = serde_json::from_slice(&body).ok();
        let (first, trace_id) = match body {
            Some(body) => (body.errors.into_iter().next(), body.clerk_trace_id),
            None => (None, None),
        };
        let (code, message) = first.map_or((None, None), |first| {
            (first.code, first.long_message.filter(|long| !long.is_empty()).or(first.message))
        });
        let plain = |text: String| self.plain(&text);
        ApiError {
            status: status.as_u16(),
            code: code.map(plain),
            message: message.map(plain).filter(|text| !text.is_empty()).unwrap_or_else(|| {
                status.canonical_reason().unwrap_or("an unknown status").to_owned()
            }),
            trace_id: trace_id.or(ray).map(plain),
        }
    }

    /// Somebody else's text, fit for an error: one line of bounded length, without the key.
    fn plain(&self, text: &str) -> String {
        let text = self.key.redact(text);
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
