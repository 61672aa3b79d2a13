//! Attempts, as they are stored.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;

/// Bytes of a reply that are kept; the rest is cut off.
pub const REPLY_BYTES_MAX: usize = 16 << 10;

/// One try at a delivery.
#[derive(Clone, PartialEq, Eq)]
pub struct AttemptRecord {
    /// How long before it is stored it began.
    pub ago: Duration,
    /// How long it took.
    pub duration: Duration,
    /// The HTTP status, where there was one.
    pub status: Option<u16>,
    /// What went wrong, in plain words; `None` where it was delivered.
    pub error: Option<String>,
    /// The reply's first bytes, at most [`REPLY_BYTES_MAX`].
    pub reply: Bytes,
}

/// An attempt as it is read back.
#[derive(Clone, PartialEq, Eq)]
pub struct AttemptSummary {
    /// Its number among the attempts at this delivery: 1 for the first, going on after a replay.
    pub number: u32,
    /// When it began, in milliseconds since the Unix epoch, by the store's clock.
    pub started_at_ms: i64,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// The HTTP status, where there was one.
    pub status: Option<u16>,
    /// What went wrong, in plain words; `None` where it was delivered.
    pub error: Option<String>,
    /// The reply's first bytes, at most [`REPLY_BYTES_MAX`].
    pub reply: Bytes,
}

impl fmt::Debug for AttemptRecord {
    /// Leaves the reply out: it may contain personal data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AttemptRecord")
            .field("duration", &self.duration)
            .field("status", &self.status)
            .field("error", &self.error)
            .field("reply_bytes", &self.reply.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for AttemptSummary {
    /// Leaves the reply out: it may contain personal data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AttemptSummary")
            .field("number", &self.number)
            .field("started_at_ms", &self.started_at_ms)
            .field("status", &self.status)
            .field("error", &self.error)
            .field("reply_bytes", &self.reply.len())
            .finish_non_exhaustive()
    }
}
