//! Events: as they are appended, and as they are stored.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use bytes::Bytes;
use clerk_webhooks::{EventHead, NotAnEvent};

use crate::Payload;

/// Bytes of a message id, and of a subject, that any store takes for certain: an index of
/// PostgreSQL's takes no row of more than some 2,700. Clerk's ids have about 35.
pub const ID_BYTES_MAX: usize = 256;

/// An event's sequence number in the log: 1 for the first, without gaps, in the order of commits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Seq(i64);

impl Seq {
    /// Before the first event: the checkpoint of a reader that has read nothing.
    pub const ZERO: Self = Self(0);

    /// The sequence number `number`; below zero it is [`Seq::ZERO`].
    #[must_use]
    pub const fn new(number: i64) -> Self {
        if number < 0 { Self::ZERO } else { Self(number) }
    }

    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }

    /// The next sequence number.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }

    /// How many numbers after `earlier` this one is; 0 if `earlier` is not earlier.
    #[must_use]
    pub fn distance_from(self, earlier: Self) -> u64 {
        u64::try_from(self.0 - earlier.0).unwrap_or(0)
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A verified event that is not in the log yet.
#[derive(Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// The name of the source that it came by.
    pub source: Arc<str>,
    /// The sender's id of the message (`svix-id`); unique within a source. At most
    /// [`ID_BYTES_MAX`] bytes.
    pub message_id: String,
    /// The event's type as it was sent, known to us or not.
    pub event_type: String,
    /// The id of the entity that the event is about, where the payload names one. At most
    /// [`ID_BYTES_MAX`] bytes.
    pub subject: Option<String>,
    /// When it happened, in milliseconds since the Unix epoch, by the sender's clock.
    pub occurred_at_ms: i64,
    /// The Clerk instance that it belongs to, where the payload names one.
    pub instance_id: Option<String>,
    /// The body: the bytes that were signed, if it came [by a webhook](Origin::Webhook).
    pub payload: Payload,
    /// How it came.
    pub origin: Origin,
}

/// How an event came into the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Origin {
    /// A request that the sender signed.
    #[default]
    Webhook,
    /// The sender's own record, read in a session. The payload was serialized again: no signature
    /// is of these bytes.
    SenderRecord,
    /// An object of Clerk's API that was made an event of, for chosen destinations.
    Backfill,
    /// A message that somebody made through the admin API.
    Api,
    /// A sample that somebody had sent to one destination.
    Example,
    /// A newer release knows.
    Unknown,
}

impl Origin {
    /// Whether Clerk's sender has it as a message: it goes to mirrors, and to every destination that
    /// takes it. Others go only where they were sent.
    #[must_use]
    pub const fn is_message(self) -> bool {
        matches!(self, Self::Webhook | Self::SenderRecord)
    }

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::SenderRecord => "sender_record",
            Self::Backfill => "backfill",
            Self::Api => "api",
            Self::Example => "example",
            Self::Unknown => "unknown",
        }
    }

    /// By what it was verified: the signature, whose session or key it was read with, or the token of who
    /// made it.
    #[must_use]
    pub const fn verified_by(self) -> &'static str {
        match self {
            Self::Webhook => "signature",
            Self::SenderRecord => "session",
            Self::Backfill => "secret_key",
            Self::Api | Self::Example => "token",
            Self::Unknown => "unknown",
        }
    }

    /// As it is stored: nothing for nearly all.
    pub(crate) const fn stored(self) -> Option<&'static str> {
        match self {
            Self::Webhook => None,
            other => Some(other.as_str()),
        }
    }

    pub(crate) fn from_stored(text: Option<&str>) -> Self {
        match text {
            None => Self::Webhook,
            Some("sender_record") => Self::SenderRecord,
            Some("backfill") => Self::Backfill,
            Some("api") => Self::Api,
            Some("example") => Self::Example,
            Some(_) => Self::Unknown,
        }
    }
}

/// An event of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEvent {
    /// Its sequence number.
    pub seq: Seq,
    /// When the log took it, in milliseconds since the Unix epoch, by the store's clock.
    pub received_at_ms: i64,
    /// As it was appended; the payload is empty if it was pruned.
    pub event: NewEvent,
}

impl Deref for StoredEvent {
    type Target = NewEvent;

    fn deref(&self) -> &NewEvent {
        &self.event
    }
}

impl DerefMut for StoredEvent {
    fn deref_mut(&mut self) -> &mut NewEvent {
        &mut self.event
    }
}

impl StoredEvent {
    /// Whether the payload was pruned or erased: the event cannot be delivered or mirrored.
    #[must_use]
    pub fn is_pruned(&self) -> bool {
        self.payload.is_empty()
    }
}

impl NewEvent {
    /// The event that is in this body. Where the body does not say when it happened, it is when it was
    /// sent, in seconds since the Unix epoch.
    ///
    /// # Errors
    /// [`NotAnEvent`]: the body is no JSON object with a type.
    pub fn of_body(
        source: &Arc<str>,
        message_id: &str,
        sent_at_seconds: u64,
        body: &Bytes,
        origin: Origin,
    ) -> Result<Self, NotAnEvent> {
        let head = EventHead::parse(body)?;
        Ok(Self {
            source: Arc::clone(source),
            message_id: message_id.to_owned(),
            // A longer text names nothing of Clerk's. The payload has it all the same.
            subject: head.subject.as_deref().filter(|id| id.len() <= ID_BYTES_MAX).map(Into::into),
            occurred_at_ms: head.occurred_at(sent_at_seconds).as_millis(),
            instance_id: head.instance_id.as_deref().map(ToOwned::to_owned),
            event_type: head.event_type.into_owned(),
            payload: body.clone().into(),
            origin,
        })
    }
}

impl fmt::Debug for NewEvent {
    /// Leaves the payload out: it contains personal data and, in some types, one-time codes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewEvent")
            .field("source", &self.source)
            .field("message_id", &self.message_id)
            .field("event_type", &self.event_type)
            .field("payload_bytes", &self.payload.len())
            .finish_non_exhaustive()
    }
}

/// The result of an append. The event is durable in either case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Appended {
    /// It was new and has this sequence number.
    New(Seq),
    /// Its message id is that of this earlier event; one [`ReplayRequest`] was stored.
    Duplicate(Seq),
}

impl Appended {
    /// The event's sequence number.
    #[must_use]
    pub const fn seq(self) -> Seq {
        match self {
            Self::New(seq) | Self::Duplicate(seq) => seq,
        }
    }

    /// The event that was there before, where this one is a duplicate.
    #[must_use]
    pub fn duplicate_of(&self) -> Option<Seq> {
        match self {
            Self::New(_) => None,
            Self::Duplicate(seq) => Some(*seq),
        }
    }
}

/// The sender sent a message again that is in the log: its own retry, or a replay that somebody
/// asked it for. Only the router acts on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplayRequest {
    /// The request's own number, in the order of commits.
    pub number: i64,
    /// The event that was sent again.
    pub seq: Seq,
    /// When it was sent again, in milliseconds since the Unix epoch, by the store's clock.
    pub requested_at_ms: i64,
}
