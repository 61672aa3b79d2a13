//! The index of subjects: which events are about which entity.

use async_trait::async_trait;

use crate::{EventLog, Leases, StoreError};

/// An index behind the log's end, built in the background.
#[async_trait]
pub trait SubjectIndex: EventLog + Leases {
    /// Indexes the next events, at most `events_max`, in one short transaction, so that
    /// [`EventLog::about`] need not read them.
    ///
    /// # Errors
    /// Nothing was indexed; it can be retried as it is.
    async fn index_subjects(&self, events_max: u32) -> Result<Indexed, StoreError>;
}

/// What was indexed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Indexed {
    /// The events that were looked at.
    pub events: u64,
    /// Whether there may be more. So it is also while another process indexes.
    pub more: bool,
}
