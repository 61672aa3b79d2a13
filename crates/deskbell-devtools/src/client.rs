//! Sending a signed event to a server, as Clerk's sender does.

use std::sync::Arc;
use std::time::{Duration, Instant};

use clerk_webhooks::{HeaderFamily, Signer};
use http::{HeaderMap, Method};
use reqwest::redirect;
use url::Url;

use crate::local::LocalOnly;
use crate::reply::{NoReply, Reply};

/// How long a server may take, as Clerk's sender has it.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(15);
/// Bytes of a reply that are read and shown.
const REPLY_BYTES_MAX: usize = 4 << 10;

/// Sends events to one URL.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    url: Url,
    signer: Signer,
}

/// What may differ from how Clerk's sender sends.
#[derive(Debug, Clone)]
pub struct ClientOptions {
    pub timeout: Duration,
    /// Names that lead beyond this machine's network are refused. A certificate of its own is good
    /// enough then, and no proxy is asked.
    pub local_only: bool,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self { timeout: TIMEOUT, local_only: false }
    }
}

impl Client {
    /// # Errors
    /// TLS cannot be set up.
    pub fn new(url: Url, signer: Signer) -> reqwest::Result<Self> {
        Self::with_options(url, signer, &ClientOptions::default())
    }

    /// # Errors
    /// TLS cannot be set up.
    pub fn with_options(
        url: Url,
        signer: Signer,
        options: &ClientOptions,
    ) -> reqwest::Result<Self> {
        let mut builder = reqwest::Client::builder()
            .timeout(options.timeout)
            .redirect(redirect::Policy::none())
            .user_agent(concat!("deskbell/", env!("CARGO_PKG_VERSION")));
        if options.local_only {
            builder = builder
                .no_proxy()
                .tls_danger_accept_invalid_certs(true)
                .dns_resolver(Arc::new(LocalOnly));
        }
        Ok(Self { http: builder.build()?, url, signer })
    }

    /// The same, signing with another secret.
    #[must_use]
    pub fn with_signer(&self, signer: Signer) -> Self {
        Self { signer, ..self.clone() }
    }

    /// The same, sending to another URL.
    #[must_use]
    pub fn with_url(&self, url: Url) -> Self {
        Self { url, ..self.clone() }
    }

    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Sends the body under this message id, signed with this time.
    ///
    /// # Errors
    /// There is no answer.
    pub async fn send(
        &self,
        message_id: &str,
        seconds: u64,
        body: Vec<u8>,
    ) -> Result<Reply, NoReply> {
        let headers = self.signed(message_id, seconds, &body);
        self.request(Method::POST, headers, body).await
    }

    /// The headers of a signed request, for those who want to spoil them.
    #[must_use]
    pub fn signed(&self, message_id: &str, seconds: u64, body: &[u8]) -> HeaderMap {
        let signed = self.signer.sign(message_id, seconds, body);
        // A message id that no header can have is the caller's; then there is none.
        signed.to_map(HeaderFamily::Svix).unwrap_or_default()
    }

    /// Sends this request as it is.
    ///
    /// # Errors
    /// There is no answer.
    pub async fn request(
        &self,
        method: Method,
        headers: HeaderMap,
        body: Vec<u8>,
    ) -> Result<Reply, NoReply> {
        let request = self.http.request(method, self.url.clone());
        let request = request.header("content-type", "application/json").headers(headers);
        let started = Instant::now();
        let mut response = request.body(body).send().await?;
        let mut reply = Reply::new(response.status().as_u16(), response.headers());
        reply.took = started.elapsed();
        let mut start = Vec::new();
        // The status has come, and counts, whatever becomes of the body.
        while let Ok(Some(piece)) = response.chunk().await {
            start.extend_from_slice(&piece);
            if start.len() >= REPLY_BYTES_MAX {
                start.truncate(REPLY_BYTES_MAX);
                break;
            }
        }
        reply.body = String::from_utf8_lossy(&start).into_owned();
        Ok(reply)
    }
}
