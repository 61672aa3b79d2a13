//! One attempt to send a message to an endpoint: signed with the endpoint's secret.

use std::time::Duration;

use clerk_webhooks::{HeaderFamily, Secret, Signer};
use reqwest::Client;
use reqwest::header::CONTENT_TYPE;

use super::state::{SentAttempt, SentMessage, SimulatedEndpoint, random_id};
use crate::clock;
use crate::sender::{SenderError, http_client};

/// How long an endpoint may take to answer.
const TIMEOUT: Duration = Duration::from_secs(15);
/// Idle connections that are kept for each endpoint.
const IDLE_MAX: usize = 1;

/// Makes attempts.
pub(crate) struct Courier {
    client: Client,
}

impl Courier {
    pub(crate) fn new() -> Result<Self, SenderError> {
        Ok(Self { client: http_client(TIMEOUT, IDLE_MAX)? })
    }

    pub(crate) async fn attempt(
        &self,
        endpoint: &SimulatedEndpoint,
        message: &SentMessage,
    ) -> SentAttempt {
        let status = self.status(endpoint, message).await.unwrap_or_default();
        SentAttempt {
            id: random_id("atmpt"),
            message_id: message.id.clone(),
            endpoint_id: endpoint.id.clone(),
            url: endpoint.url.clone(),
            at_ms: clock::unix_ms(),
            status,
        }
    }

    /// The status of the answer, if there is one.
    async fn status(&self, endpoint: &SimulatedEndpoint, message: &SentMessage) -> Option<u16> {
        let body = message.body.clone()?;
        let signer = Signer::new(&Secret::parse(&endpoint.secret).ok()?).ok()?;
        let signed = signer.sign(&message.id, clock::unix_seconds(), &body);
        let mut request = self.client.post(&endpoint.url).body(body);
        for (name, value) in signed.iter(HeaderFamily::Svix) {
            request = request.header(name, value);
        }
        let response = request.header(CONTENT_TYPE, "application/json").send().await.ok()?;
        Some(response.status().as_u16())
    }
}
