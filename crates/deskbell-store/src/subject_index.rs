//! The index of subjects: which events are about which entity.

use async_trait::async_trait;

use crate::{EventLog, Leases, StoreError};

/// Events that are not indexed yet and that one call reads. A log that was filled before there was
/// an index may have millions, and no statement may take seconds.
pub(crate) const UNINDEXED_MAX: i64 = 10_000;

/// An index behind the log's end, built in the background.
#[async_trait]
pub trait SubjectIndex: EventLog + Leases {
    /// Indexes the next events, at most `events_max`, in one short transaction, so that
    /// [`EventLog::events_by_subject`] need not read them.
    ///
    /// # Errors
    /// Nothing was indexed; it can be retried as it is.
    async fn index_subjects(&self, events_max: u32) -> Result<Indexed, StoreError>;
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Indexed {
    /// The events that were read.
    pub events: u64,
    /// Whether there may be more, also if another process is indexing.
    pub more: bool,
}
