//! A message that verification let through; nothing else can make one.

use std::fmt;

use bytes::Bytes;

use crate::envelope::{Envelope, NotAnEvent};
use crate::event::Event;

/// A message whose signature and time are good, borrowed from the request.
#[derive(Clone, Copy)]
pub struct Verified<'a> {
    pub(crate) id: &'a str,
    pub(crate) timestamp: u64,
    pub(crate) body: &'a [u8],
    pub(crate) secret_index: usize,
}

impl<'a> Verified<'a> {
    /// The message id: the same for every attempt at and replay of one message, so the key to tell duplicates by.
    #[must_use]
    pub fn id(&self) -> &'a str {
        self.id
    }

    /// When this attempt was signed, in seconds since 1970. The event itself may be older.
    #[must_use]
    pub fn timestamp(&self) -> u64 {
        self.timestamp
    }

    /// The raw bytes that were signed.
    #[must_use]
    pub fn body(&self) -> &'a [u8] {
        self.body
    }

    /// Which of the verifier's secrets matched, from 0: shows whether an old one is still in use.
    #[must_use]
    pub fn secret_index(&self) -> usize {
        self.secret_index
    }

    /// Reads what stands around the event's data; the data itself is left as JSON.
    ///
    /// # Errors
    /// [`NotAnEvent`]: the message is authentic, but its body is no event. Answer 400, and keep the bytes.
    pub fn envelope(&self) -> Result<Envelope<'a>, NotAnEvent> {
        Envelope::parse(self.body)
    }

    /// Reads the whole event, typed. One whose type is unknown, or whose data does not fit its type, is an event too.
    ///
    /// # Errors
    /// As [`envelope`](Self::envelope).
    pub fn event(&self) -> Result<Event, NotAnEvent> {
        Ok(Event::from_envelope(self.id, self.timestamp, &self.envelope()?))
    }

    /// A copy that outlives the request.
    #[must_use]
    pub fn into_owned(self) -> VerifiedMessage {
        self.with_body(Bytes::copy_from_slice(self.body))
    }

    /// `body` is what `self.body` borrows.
    pub(crate) fn with_body(self, body: Bytes) -> VerifiedMessage {
        let Self { id, timestamp, secret_index, .. } = self;
        VerifiedMessage { id: id.into(), timestamp, body, secret_index }
    }
}

/// Leaves the body out: it holds people's data.
impl fmt::Debug for Verified<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verified")
            .field("id", &self.id)
            .field("timestamp", &self.timestamp)
            .field("body_bytes", &self.body.len())
            .field("secret_index", &self.secret_index)
            .finish()
    }
}

/// A [`Verified`] message that owns its parts. A clone shares the body.
#[derive(Clone)]
pub struct VerifiedMessage {
    id: Box<str>,
    timestamp: u64,
    body: Bytes,
    secret_index: usize,
}

impl VerifiedMessage {
    /// The borrowed form, with its methods.
    #[must_use]
    pub fn as_verified(&self) -> Verified<'_> {
        Verified {
            id: &self.id,
            timestamp: self.timestamp,
            body: &self.body,
            secret_index: self.secret_index,
        }
    }

    /// As [`Verified::id`].
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// As [`Verified::timestamp`].
    #[must_use]
    pub fn timestamp(&self) -> u64 {
        self.timestamp
    }

    /// As [`Verified::body`]; a clone of it is cheap.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// As [`Verified::envelope`].
    ///
    /// # Errors
    /// As [`Verified::envelope`].
    pub fn envelope(&self) -> Result<Envelope<'_>, NotAnEvent> {
        self.as_verified().envelope()
    }

    /// As [`Verified::event`].
    ///
    /// # Errors
    /// As [`Verified::envelope`].
    pub fn event(&self) -> Result<Event, NotAnEvent> {
        self.as_verified().event()
    }

    /// As [`Verified::secret_index`].
    #[must_use]
    pub fn secret_index(&self) -> usize {
        self.secret_index
    }
}

impl fmt::Debug for VerifiedMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_verified().fmt(f)
    }
}
