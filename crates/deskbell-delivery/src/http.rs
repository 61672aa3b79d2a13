//! The `http` channel: events forwarded as signed requests, as Svix sends them.
//!
//! A request bears the event's body byte for byte, under its own message id and with a fresh
//! timestamp, so that the libraries of Svix, Standard Webhooks and Clerk verify it.

mod client;
mod config;
mod error;
mod failure;
mod guard;
mod headers;
mod reused;
mod secret;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use clerk_webhooks::{HeaderFamily, Signer};
use deskbell_config::Fault;
use deskbell_store::clock;
use deskbell_store::deliveries::StartFrom;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderValue};
use reqwest::{Client, Response};
use tokio::time::{Instant, timeout_at};
use url::Url;

pub use self::config::HttpConfig;
pub use self::error::HttpError;
pub use self::guard::{AllowedHost, NotAHost, Refused};
pub use self::headers::{HeaderOfOurs, Headers};
pub use self::secret::{EndpointSecret, EndpointSecrets, SignatureVersion};

use self::client::Clients;
use crate::api::receiver;
use crate::attempt::{Attempt, reply_outcome};
use crate::ca_certificates::CaCertificates;
use crate::channel::{Channel, ChannelConfig, ChannelError, Delivery};
use crate::delivery_config::DeliveryConfig;
use crate::reply;

const USER_AGENT_VALUE: &str = concat!("Deskbell/", env!("CARGO_PKG_VERSION"));

/// Forwards events to one URL.
pub struct HttpChannel {
    clients: Clients,
    url: Url,
    host: String,
    secrets: Vec<EndpointSecret>,
    header_family: HeaderFamily,
    /// What every request has beside its signature.
    headers: HeaderMap,
}

impl ChannelConfig for HttpConfig {
    fn validate(&self, _delivery: &DeliveryConfig) -> Result<(), Fault> {
        self.check()
    }

    fn start(&self) -> StartFrom {
        self.from
    }

    fn receiver(&self) -> String {
        receiver(self.url.expose_secrets())
    }

    fn channel(&self, _destination: &str) -> Result<Arc<dyn Channel>, ChannelError> {
        self.check_localhost()?;
        Ok(Arc::new(HttpChannel::new(self)?))
    }
}

impl HttpChannel {
    /// Checks the config, and prepares the client; nothing is connected to.
    ///
    /// # Errors
    /// [`HttpError`] names the mistake.
    pub fn new(config: &HttpConfig) -> Result<Self, HttpError> {
        config.check()?;
        let rules = config.rules()?;
        let EndpointSecrets(secrets) = &config.secrets;
        Signer::with_secrets(secrets.iter().map(|one| &one.secret))?;
        let authorities = config.ca_certificates.iter().flat_map(CaCertificates::certificates);
        let clients =
            Clients::build(rules, &authorities.collect::<Vec<_>>(), config.proxy.as_ref())
                .map_err(HttpError::Client)?;
        let url = config.url.expose_secrets().clone();
        Ok(Self {
            clients,
            host: url.host_str().unwrap_or_default().to_owned(),
            url,
            secrets: secrets.clone(),
            header_family: config.header_family,
            headers: standing_headers(&config.headers),
        })
    }

    /// The headers of this attempt; where there can be none, why.
    fn headers(&self, delivery: &Delivery) -> Result<HeaderMap, String> {
        let seconds = delivery.sent_at_seconds;
        let live = self.secrets.iter().filter(|secret| secret.is_live(seconds));
        let signer = Signer::with_secrets(live.map(|live| &live.secret))
            .map_err(|error| format!("cannot sign: {error}"))?;
        let event = &delivery.event;
        let signed = signer.sign(&event.message_id, seconds, &event.payload);
        let signed = signed
            .to_map(self.header_family)
            .map_err(|_| "the message id contains what a header cannot, such as a line break")?;
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
            let body = delivery.event.payload.to_bytes();
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

fn standing_headers(config: &Headers) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.extend(config.iter().map(|(name, value)| (name.clone(), value.clone())));
    for (name, value) in [(CONTENT_TYPE, "application/json"), (USER_AGENT, USER_AGENT_VALUE)] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    headers
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
