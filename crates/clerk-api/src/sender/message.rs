//! The messages of the instance, the attempts to send them, and sending them again.

use std::fmt;

use serde::{Deserialize, Deserializer};
use serde_json::json;
use serde_json::value::RawValue;
use url::Url;

use super::error::{ReadError, SendAgainError};
use super::json::body;
use super::page::{SenderPage, query};
use super::session::{SenderSession, idempotency_key};
use super::time::{text, unix_ms};
use crate::object_id::checked;
use crate::transport::Call;

/// A time range, in Unix milliseconds. An end that is `None` is open.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TimeRange {
    pub after: Option<i64>,
    pub before: Option<i64>,
}

/// What the sender has in the place of a payload that it does not keep any more.
const EXPIRED: &str = r#"{"expired":true}"#;

/// A message that the sender has: one event of the instance. It keeps them for 90 days.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Message {
    /// `msg_…`, the `svix-id` of its deliveries.
    pub id: String,
    pub event_type: String,
    /// When the sender got it, in Unix milliseconds.
    #[serde(deserialize_with = "unix_ms")]
    pub timestamp: i64,
    /// The body as JSON, which need not be the bytes that are signed. `None` if the sender does not have it any more.
    #[serde(default, deserialize_with = "payload")]
    pub payload: Option<Box<RawValue>>,
}

/// One attempt to send a message to an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Attempt {
    /// `atmpt_…`.
    pub id: String,
    pub msg_id: String,
    pub endpoint_id: String,
    /// In Unix milliseconds.
    #[serde(deserialize_with = "unix_ms")]
    pub timestamp: i64,
    pub status: AttemptStatus,
    /// The HTTP status that the endpoint answered with; 0 or less if there was no answer.
    #[serde(rename = "responseStatusCode")]
    pub response_status: i32,
}

/// What became of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum AttemptStatus {
    Succeeded,
    Pending,
    Failed,
    Sending,
    /// A number that the sender did not have when this was written.
    Unknown(i64),
}

impl SenderSession {
    /// A page of the messages, the newest first: the first page, or the one of an iterator.
    ///
    /// # Errors
    /// It could not be read.
    pub async fn messages(
        &self,
        range: TimeRange,
        iterator: Option<&str>,
    ) -> Result<SenderPage<Message>, ReadError> {
        let url = self.url_with_content("/msg", range, iterator, true);
        self.page("messages", url).await
    }

    /// One message, with its payload; `None` if the sender does not have it any more.
    ///
    /// # Errors
    /// It could not be read, or the text cannot be an id.
    pub async fn message(&self, id: &str) -> Result<Option<Message>, ReadError> {
        let url =
            self.app_url(&format!("/msg/{}", checked(id)?), &[("with_content", "true".to_owned())]);
        self.find("message", url).await
    }

    /// The same without the payloads.
    ///
    /// # Errors
    /// It could not be read.
    pub async fn message_ids(
        &self,
        range: TimeRange,
        iterator: Option<&str>,
    ) -> Result<SenderPage<Message>, ReadError> {
        let url = self.url_with_content("/msg", range, iterator, false);
        let mut page: SenderPage<Message> = self.page("messages", url).await?;
        for message in &mut page.items {
            message.payload = None;
        }
        Ok(page)
    }

    /// A page of the attempts to send messages to this endpoint, the newest first.
    ///
    /// # Errors
    /// It could not be read, or the text cannot be an id.
    pub async fn attempts(
        &self,
        endpoint_id: &str,
        range: TimeRange,
        iterator: Option<&str>,
    ) -> Result<SenderPage<Attempt>, ReadError> {
        let path = format!("/attempt/endpoint/{}", checked(endpoint_id)?);
        let url = self.url_with_content(&path, range, iterator, false);
        self.page("attempts", url).await
    }

    /// Has the sender send one message to the endpoint again, with the same id.
    ///
    /// # Errors
    /// The sender refuses it, or a text cannot be an id.
    pub async fn resend(&self, message_id: &str, endpoint_id: &str) -> Result<(), SendAgainError> {
        let (message_id, endpoint_id) = (checked(message_id)?, checked(endpoint_id)?);
        let url = self.app_url(&format!("/msg/{message_id}/endpoint/{endpoint_id}/resend"), &[]);
        self.send_again("have a message sent again", Call::post(url, None)).await
    }

    /// Has the sender send all messages again that failed for the endpoint in this time, in the background.
    ///
    /// # Errors
    /// The sender refuses it, or the text cannot be an id.
    pub async fn recover(
        &self,
        endpoint_id: &str,
        since: i64,
        until: Option<i64>,
    ) -> Result<(), SendAgainError> {
        let url = self.app_url(&format!("/endpoint/{}/recover", checked(endpoint_id)?), &[]);
        let range = body(&json!({"since": text(since), "until": until.map(text)}));
        self.send_again("have failed messages sent again", Call::post(url, Some(range))).await
    }

    async fn send_again(&self, what: &'static str, call: Call) -> Result<(), SendAgainError> {
        let answer = self.send(&call.once(idempotency_key())).await;
        answer.map(drop).map_err(|source| SendAgainError::Request { what, source })
    }

    fn url_with_content(
        &self,
        path: &str,
        range: TimeRange,
        iterator: Option<&str>,
        with_content: bool,
    ) -> Url {
        let mut query = query(iterator);
        query.extend(range.after.map(|after| ("after", text(after))));
        query.extend(range.before.map(|before| ("before", text(before))));
        query.push(("with_content", with_content.to_string()));
        self.app_url(path, &query)
    }
}

/// Leaves the payload out: it contains personal data and, in some types, one-time codes.
impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("id", &self.id)
            .field("event_type", &self.event_type)
            .field("timestamp", &self.timestamp)
            .finish_non_exhaustive()
    }
}

fn payload<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Box<RawValue>>, D::Error> {
    let payload = Option::<Box<RawValue>>::deserialize(deserializer)?;
    let is_expired = |payload: &RawValue| {
        let text = payload.get();
        text.len() <= 2 * EXPIRED.len()
            && text.split_ascii_whitespace().collect::<String>() == EXPIRED
    };
    Ok(payload.filter(|payload| !is_expired(payload)))
}

impl<'de> Deserialize<'de> for AttemptStatus {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match i64::deserialize(deserializer)? {
            0 => Self::Succeeded,
            1 => Self::Pending,
            2 => Self::Failed,
            3 => Self::Sending,
            other => Self::Unknown(other),
        })
    }
}
