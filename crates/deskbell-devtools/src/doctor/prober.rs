//! Sends events as Clerk's sender does, and as it never would.

use std::time::Duration;

use clerk_webhooks::Signer;
use http::{HeaderMap, Method};
use url::Url;

use crate::client::Client;
use crate::reply::{NoReply, Reply};
use crate::samples::message_id;

pub(super) type Answer = Result<Reply, NoReply>;

/// One handler, the secret that its events are signed with, and its clock.
pub(super) struct Prober {
    client: Client,
    now_seconds: fn() -> u64,
    /// Seconds that its clock is ahead of ours, where that would spoil signatures.
    pub(super) ahead_seconds: i64,
    /// The longest that a valid event took.
    slowest: Duration,
}

impl Prober {
    pub(super) fn new(client: Client, now_seconds: fn() -> u64) -> Self {
        Self { client, now_seconds, ahead_seconds: 0, slowest: Duration::ZERO }
    }

    pub(super) fn url(&self) -> &Url {
        self.client.url()
    }

    pub(super) fn slowest(&self) -> Duration {
        self.slowest
    }

    /// From now on, signs with this secret.
    pub(super) fn sign_with(&mut self, signer: Signer) {
        self.client = self.client.with_signer(signer);
    }

    /// The time by the handler's clock.
    pub(super) fn now(&self) -> u64 {
        (self.now_seconds)().saturating_add_signed(self.ahead_seconds)
    }

    pub(super) async fn get(&self) -> Answer {
        self.client.request(Method::GET, HeaderMap::new(), Vec::new()).await
    }

    /// A valid event under a new id.
    pub(super) async fn send(&mut self, body: &str) -> Answer {
        self.send_as(&message_id(), body).await
    }

    pub(super) async fn send_as(&mut self, id: &str, body: &str) -> Answer {
        let answer = self.client.send(id, self.now(), body.into()).await;
        if let Ok(reply) = &answer
            && reply.is_success()
        {
            self.slowest = self.slowest.max(reply.took);
        }
        answer
    }

    /// The same event, signed with another secret.
    pub(super) async fn send_signed_by(&self, signer: Signer, body: &str) -> Answer {
        self.client.with_signer(signer).send(&message_id(), self.now(), body.into()).await
    }

    /// A valid event to another URL.
    pub(super) async fn send_to(&self, url: Url, body: &str) -> Answer {
        self.client.with_url(url).send(&message_id(), self.now(), body.into()).await
    }

    /// Signs one body and sends another.
    pub(super) async fn send_other(&self, signed: &str, sent: &str) -> Answer {
        let headers = self.client.signed(&message_id(), self.now(), signed.as_bytes());
        self.client.request(Method::POST, headers, sent.into()).await
    }

    /// An event that was signed so long ago.
    pub(super) async fn send_old(&self, age: Duration, body: &str) -> Answer {
        let seconds = self.now().saturating_sub(age.as_secs());
        self.client.send(&message_id(), seconds, body.into()).await
    }

    /// An event without its signature.
    pub(super) async fn send_unsigned(&self, body: &str) -> Answer {
        let mut headers = self.client.signed(&message_id(), self.now(), body.as_bytes());
        headers.remove("svix-signature");
        self.client.request(Method::POST, headers, body.into()).await
    }
}
