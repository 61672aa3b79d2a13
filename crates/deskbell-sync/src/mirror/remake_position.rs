//! How far the rows of another mapping have been made again.

use std::time::{Duration, Instant};

use crate::mirror_target::Rest;

/// How long after a pass in which the database refused rows all are looked at again.
pub(super) const RETRY_INTERVAL: Duration = Duration::from_secs(3600);

/// The position in the tables.
#[derive(Debug, Default)]
pub(super) enum RemakePosition {
    /// Nobody has looked whether there is anything to do.
    #[default]
    Unknown,
    At(Cursor),
    /// Every row is of the present mapping.
    Done,
    /// The database refused some rows: all are looked at again then.
    RetryAt(Instant),
}

/// The next part is behind an id of a table.
#[derive(Debug, Clone)]
pub(super) struct Cursor {
    pub(super) table: usize,
    pub(super) after: String,
    /// For each mirrored entity, the columns that must be empty.
    pub(super) to_empty: Vec<Vec<&'static str>>,
    /// The rows that the database has refused in this pass.
    pub(super) refused: usize,
}

impl RemakePosition {
    /// What is left, where no row is looked at now.
    pub(super) fn rest(&self) -> Option<Rest> {
        match self {
            Self::Done => Some(Rest::None),
            Self::RetryAt(at) if *at > Instant::now() => Some(Rest::Later),
            _ => None,
        }
    }

    pub(super) fn retry_later() -> Self {
        Self::RetryAt(Instant::now() + RETRY_INTERVAL)
    }
}
