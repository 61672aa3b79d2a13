//! Claims, and how they are settled.

use std::time::Duration;

use super::AttemptRecord;
use crate::{Seq, StoredEvent};

/// What a worker asks for.
#[derive(Debug, Clone)]
pub struct Claim {
    /// The destination's name.
    pub destination: String,
    /// At most this many deliveries.
    pub deliveries_max: u32,
    /// No further delivery once the payloads reach this many bytes together.
    pub bytes_max: usize,
    /// How long nobody else gets them.
    pub lease: Duration,
}

/// A claimed delivery's place, and the number by which its holder is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClaimId {
    /// The event's place in the log.
    pub seq: Seq,
    /// Another one each time that it is claimed.
    pub number: i64,
}

/// What a worker got.
#[derive(Debug, Clone)]
pub struct Claimed {
    /// The deliveries, the longest due first.
    pub deliveries: Vec<ClaimedDelivery>,
    /// How long until the next one that is not claimed is due: zero where more are due now, `None`
    /// where none is waiting.
    pub next_due: Option<Duration>,
    /// What the store's clock said, in milliseconds since the Unix epoch.
    pub now_ms: i64,
}

/// A delivery that is the worker's until its lease ends.
#[derive(Debug, Clone)]
pub struct ClaimedDelivery {
    /// By which it is settled.
    pub claim: ClaimId,
    /// The event.
    pub event: StoredEvent,
    /// Attempts of this schedule: since it was routed, or last revived.
    pub attempts: u32,
    /// How long ago the first attempt of this schedule began; `None` before it.
    pub first_attempt_ago: Option<Duration>,
}

/// What became of a claimed delivery.
#[derive(Debug, Clone)]
pub struct Settlement {
    /// Which one.
    pub claim: ClaimId,
    /// The attempt; `None` where none was made.
    pub attempt: Option<AttemptRecord>,
    /// Where the delivery goes from here.
    pub verdict: Verdict,
}

/// Where a delivery goes after an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is done.
    Delivered,
    /// It is due again after this long.
    Retry(Duration),
    /// It is given up on, and kept; the reason in plain words.
    DeadLetter(String),
}
