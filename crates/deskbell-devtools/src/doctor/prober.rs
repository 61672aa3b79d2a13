//! Sends events as Clerk's sender does, and as it never would.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use clerk_webhooks::{Envelope, Signer};
use http::{HeaderMap, Method};
use url::Url;

use super::events::USER_PREFIX;
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
    /// The users that the handler has created by now, and how they were sent.
    created: Mutex<Vec<(Client, String)>>,
}

impl Prober {
    pub(super) fn new(client: Client, now_seconds: fn() -> u64) -> Self {
        Self {
            client,
            now_seconds,
            ahead_seconds: 0,
            slowest: Duration::ZERO,
            created: Mutex::default(),
        }
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
        self.note(&self.client, body, &answer);
        if let Ok(reply) = &answer
            && reply.is_success()
        {
            self.slowest = self.slowest.max(reply.took);
        }
        answer
    }

    /// The same event, signed with another secret.
    pub(super) async fn send_signed_by(&self, signer: Signer, body: &str) -> Answer {
        let client = self.client.with_signer(signer);
        let answer = client.send(&message_id(), self.now(), body.into()).await;
        self.note(&client, body, &answer);
        answer
    }

    /// A valid event to another URL.
    pub(super) async fn send_to(&self, url: Url, body: &str) -> Answer {
        let client = self.client.with_url(url);
        let answer = client.send(&message_id(), self.now(), body.into()).await;
        self.note(&client, body, &answer);
        answer
    }

    /// Signs one body and sends another.
    pub(super) async fn send_other(&self, signed: &str, sent: &str) -> Answer {
        let headers = self.client.signed(&message_id(), self.now(), signed.as_bytes());
        let answer = self.client.request(Method::POST, headers, sent.into()).await;
        self.note(&self.client, sent, &answer);
        answer
    }

    /// An event that was signed so long ago.
    pub(super) async fn send_old(&self, age: Duration, body: &str) -> Answer {
        let seconds = self.now().saturating_sub(age.as_secs());
        let answer = self.client.send(&message_id(), seconds, body.into()).await;
        self.note(&self.client, body, &answer);
        answer
    }

    /// An event without its signature.
    pub(super) async fn send_unsigned(&self, body: &str) -> Answer {
        let mut headers = self.client.signed(&message_id(), self.now(), body.as_bytes());
        headers.remove("svix-signature");
        let answer = self.client.request(Method::POST, headers, body.into()).await;
        self.note(&self.client, body, &answer);
        answer
    }

    /// Has every user deleted that the handler has created, in the way in which it took them.
    pub(super) async fn clean_up(&self, deleted: impl Fn(&str) -> String) {
        let created = {
            let mut created = self.created.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *created)
        };
        for (client, user_id) in created {
            // A handler that does not take it has been told already.
            let _ = client.send(&message_id(), self.now(), deleted(&user_id).into()).await;
        }
    }

    fn note(&self, client: &Client, body: &str, answer: &Answer) {
        if !answer.as_ref().is_ok_and(Reply::is_success) {
            return;
        }
        let Ok(event) = Envelope::parse(body.as_bytes()) else { return };
        let is_ours = |id: &str| event.event_type == "user.created" && id.starts_with(USER_PREFIX);
        let Some(user_id) = event.subject().filter(|id| is_ours(id)) else { return };
        let mut created = self.created.lock().unwrap_or_else(PoisonError::into_inner);
        if created.iter().all(|(_, known)| *known != user_id) {
            created.push((client.clone(), user_id.into_owned()));
        }
    }
}
