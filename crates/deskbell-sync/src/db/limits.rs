//! How long a transaction may wait and work.

use std::time::Duration;

/// How long a transaction may wait for locks, and each of its statements may work. The server ends
/// what takes longer, with an answer: nobody's lock holds the rest up for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Limits {
    /// As long as it needs: migrations and rebuilds.
    Unlimited,
    /// A batch, by a part of the time in which the database must answer.
    Batch { answer_within: Duration },
    /// Looking for what is refused.
    Isolating {
        answer_within: Duration,
        /// After this time no further unit of work is begun: the batch is cut.
        budget: Option<Duration>,
        /// Each unit of work is a transaction: for databases that check some constraints at
        /// a commit alone, and cannot be asked before.
        commit_units: bool,
    },
}

/// While isolating, a statement waits for a lock, or works, up to this long: whoever holds the lock
/// holds up one unit of work for this time, and not the batch.
const ISOLATING_MAX: Duration = Duration::from_secs(2);
/// A migration and a rebuild wait this long for somebody else's lock.
const UNLIMITED_LOCK_MAX: Duration = Duration::from_secs(60);

impl Limits {
    /// How long the database may take to answer at all.
    pub(crate) fn answer(self) -> Option<Duration> {
        match self {
            Self::Unlimited => None,
            Self::Batch { answer_within } | Self::Isolating { answer_within, .. } => {
                Some(answer_within)
            }
        }
    }

    /// How long a lock is waited for.
    pub(crate) fn lock(self) -> Duration {
        match self {
            Self::Unlimited => UNLIMITED_LOCK_MAX,
            Self::Batch { answer_within } => answer_within / 10,
            Self::Isolating { answer_within, .. } => ISOLATING_MAX.min(answer_within / 10),
        }
    }

    /// How long a statement may work; `None`: without limit.
    pub(crate) fn statement(self) -> Option<Duration> {
        match self {
            Self::Unlimited => None,
            Self::Batch { answer_within } => Some(answer_within * 2 / 3),
            Self::Isolating { answer_within, .. } => Some(ISOLATING_MAX.min(answer_within * 2 / 3)),
        }
    }

    pub(crate) fn isolates(self) -> bool {
        matches!(self, Self::Isolating { .. })
    }
}
