//! The `http` channel: events forwarded as signed requests, as Svix sends them.
//!
//! A request bears the event's body byte for byte, under its own message id and with a fresh
//! timestamp, so that the libraries of Svix, Standard Webhooks and Clerk verify it.

mod client;
mod failure;
mod guard;
mod options;
mod reply;
mod reused;

use std::fmt;

use async_trait::async_trait;
use clerk_webhooks::{HeaderFamily, Signer};
use http::HeaderMap;
use http::header::CONTENT_LENGTH;
use reqwest::{Client, Response};
use tokio::time::{Instant, timeout_at};
use url::Url;

pub use guard::{NotAHost, Refused};
pub use options::{HttpChannelError, HttpOptions, RotatingSecret};

use self::client::Clients;
use crate::attempt::{Attempt, reply_outcome};
use crate::channel::{Channel, Delivery};
use crate::clock;

/// Forwards events to one URL.
pub struct HttpChannel {
    clients: Clients,
    url: Url,
    host: String,
    secrets: Vec<RotatingSecret>,
    header_family: HeaderFamily,
    /// What every request bears.
    headers: HeaderMap,
}

impl HttpChannel {
    /// Checks the options, and prepares the client; nothing is connected to.
    ///
    /// # Errors
    /// [`HttpChannelError`] names the mistake.
    pub fn new(options: HttpOptions) -> Result<Self, HttpChannelError> {
        let rules = options.rules()?;
        options.check_secrets()?;
        let headers = options.standing_headers()?;
        let clients = Clients::build(rules, &options.extra_authorities, options.proxy.as_ref())
            .map_err(HttpChannelError::Client)?;
        let host = options.url.host_str().unwrap_or_default().to_owned();
        let HttpOptions { url, secrets, header_family, .. } = options;
        Ok(Self { clients, url, host, secrets, header_family, headers })
    }

    /// The headers of this attempt; where there can be none, why.
    fn headers(&self, delivery: &Delivery) -> Result<HeaderMap, String> {
        let seconds = delivery.sent_at_seconds;
        let live = self.secrets.iter().filter(|rotating| rotating.is_live(seconds));
        let signer = Signer::with_secrets(live.map(|rotating| &rotating.secret))
            .map_err(|error| format!("cannot sign: {error}"))?;
        let event = &delivery.event;
        let signed = signer.sign(&event.message_id, seconds, &event.payload);
        let signed = signed
            .to_map(self.header_family)
            .map_err(|_| "the message id holds what no header may, such as a line break")?;
        let mut headers = self.headers.clone();
        headers.extend(signed);
        // Said of an empty body too, without which some receivers answer 411.
        headers.insert(CONTENT_LENGTH, event.payload.len().into());
        Ok(headers)
    }

    /// Sends the request: once more at once where a connection that was kept ends without an answer.
    /// Whether the receiver had it before is not known; its message id says that it is the same.
    async fn send(&self, headers: HeaderMap, delivery: &Delivery) -> reqwest::Result<Response> {
        let request = |client: &Client| {
            let body = delivery.event.payload.clone();
            client.post(self.url.clone()).headers(headers.clone()).body(body).send()
        };
        match reused::noting(request(&self.clients.keeping)).await {
            (Err(error), true) if failure::is_without_answer(&error) => {
                request(&self.clients.fresh).await
            }
            (answered, _) => answered,
        }
    }
}

#[async_trait]
impl Channel for HttpChannel {
    async fn attempt(&self, delivery: &Delivery, deadline: Instant) -> Attempt {
        let started = Instant::now();
        let headers = match self.headers(delivery) {
            Ok(headers) => headers,
            Err(reason) => return Attempt::rejected(reason),
        };
        let response = match timeout_at(deadline, self.send(headers, delivery)).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => return Attempt::failed(failure::words(&error, &self.host)),
            Err(_) => return Attempt::failed(failure::no_answer(deadline - started)),
        };
        let status = response.status();
        let outcome = reply_outcome(status, response.headers(), clock::now());
        let reply = reply::read(response, deadline).await;
        Attempt { outcome, status: Some(status.as_u16()), reply }
    }
}

impl fmt::Debug for HttpChannel {
    /// Without what may be a secret: the URL's credentials, path and query, and headers' values.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpChannel")
            .field("origin", &self.url.origin().ascii_serialization())
            .field("secrets", &self.secrets)
            .finish_non_exhaustive()
    }
}
