//! What became of an event at one destination, in the words that mirrors and deliveries share.

use std::fmt;

/// What became of an event at a destination, or in one part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// In one word.
    pub kind: OutcomeKind,
    /// Why, in plain words. Never a part of the payload.
    pub reason: Option<String>,
    /// When, in milliseconds since the Unix epoch, where that is recorded.
    pub at_ms: Option<i64>,
}

/// What became of an event. The order is that of attention: of several parts of one destination the
/// greatest speaks for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OutcomeKind {
    /// Nothing at the destination is made from it.
    NotMirrored,
    /// It belongs to another Clerk instance than its source.
    OtherInstance,
    /// The destination does not want it.
    Filtered,
    /// Its entity, or a parent of it, is deleted.
    Tombstoned,
    /// The destination has a later version.
    Superseded,
    Delivered,
    /// The destination has its changes.
    Applied,
    /// It is still to be applied or delivered.
    Pending,
    /// The database refuses it for now; it is tried again.
    Waiting,
    /// It failed permanently.
    DeadLettered,
}

impl Outcome {
    /// An outcome of which no time is recorded.
    pub fn new(kind: OutcomeKind, reason: impl Into<String>) -> Self {
        Self { kind, reason: Some(reason.into()), at_ms: None }
    }

    /// The same, at this time.
    #[must_use]
    pub fn at(self, at_ms: Option<i64>) -> Self {
        Self { at_ms, ..self }
    }
}

impl From<OutcomeKind> for Outcome {
    /// One that needs no reason.
    fn from(kind: OutcomeKind) -> Self {
        Self { kind, reason: None, at_ms: None }
    }
}

impl OutcomeKind {
    /// As JSON and the command line have it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotMirrored => "not_mirrored",
            Self::OtherInstance => "other_instance",
            Self::Filtered => "filtered",
            Self::Tombstoned => "tombstoned",
            Self::Superseded => "superseded",
            Self::Delivered => "delivered",
            Self::Applied => "applied",
            Self::Pending => "pending",
            Self::Waiting => "waiting",
            Self::DeadLettered => "dead_lettered",
        }
    }
}

impl fmt::Display for OutcomeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
