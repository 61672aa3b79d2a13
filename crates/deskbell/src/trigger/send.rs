//! Sending a signed event to a server, as Clerk's sender does.

use std::time::{Duration, Instant};

use clerk_webhooks::{HeaderFamily, Signer};
use reqwest::redirect;
use url::Url;

/// How long a server may take, as Clerk's sender has it.
const TIMEOUT: Duration = Duration::from_secs(15);
/// Bytes of a reply that are read and shown.
const REPLY_BYTES_MAX: usize = 4 << 10;

/// Sends events to one URL.
#[derive(Debug)]
pub(crate) struct Client {
    http: reqwest::Client,
    url: Url,
    signer: Signer,
}

#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) status: u16,
    pub(crate) reply: String,
    pub(crate) took: Duration,
}

impl Client {
    pub(crate) fn new(url: Url, signer: Signer) -> reqwest::Result<Self> {
        let http = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .redirect(redirect::Policy::none())
            .user_agent(concat!("deskbell/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { http, url, signer })
    }

    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    /// Sends the body under this message id, signed with this time.
    pub(crate) async fn send(
        &self,
        message_id: &str,
        seconds: u64,
        body: Vec<u8>,
    ) -> reqwest::Result<Outcome> {
        let signed = self.signer.sign(message_id, seconds, &body);
        let mut request =
            self.http.post(self.url.clone()).header("content-type", "application/json");
        for (name, value) in signed.iter(HeaderFamily::Svix) {
            request = request.header(name, value);
        }
        let started = Instant::now();
        let mut response = request.body(body).send().await?;
        let took = started.elapsed();
        let status = response.status().as_u16();
        let mut reply = Vec::new();
        while let Some(piece) = response.chunk().await? {
            reply.extend_from_slice(&piece);
            if reply.len() >= REPLY_BYTES_MAX {
                reply.truncate(REPLY_BYTES_MAX);
                break;
            }
        }
        Ok(Outcome { status, reply: String::from_utf8_lossy(&reply).into_owned(), took })
    }
}
