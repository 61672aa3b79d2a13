//! Reading ahead: the next batch is read and folded while the one before it is applied.

use std::sync::Arc;

use deskbell_store::{Seq, StoredEvent};

use super::error::SyncError;
use super::report;
use super::state::{MirrorConsumer, Ready};
use crate::refetch::{Folded, fold_naming};

impl MirrorConsumer {
    /// The batch behind `after`, folded; `None` where the log ends there.
    pub(super) async fn read_behind(&self, after: Seq) -> Result<Option<Ready>, SyncError> {
        let events = self.store.read(after, self.limit()).await?;
        let Some(last) = events.last() else {
            return Ok(None);
        };
        let others = self.fold.instances().learn(&*self.store, &events).await?;
        report::other_instances(&self.destination, &others);
        Ok(Some(Ready {
            after,
            seq: last.seq,
            message_id: last.message_id.clone(),
            events: u64::try_from(events.len()).unwrap_or(u64::MAX),
            folded: self.fold(events).await?,
        }))
    }

    /// Folds on a thread that may block: a large batch takes milliseconds of computing.
    pub(super) async fn fold(&self, events: Vec<StoredEvent>) -> Result<Folded, SyncError> {
        let (fold, reader) = (Arc::clone(&self.fold), self.reader.clone());
        on_blocking_thread(move || fold_naming(&fold, &events, reader.as_ref())).await
    }
}

/// Computes on one of the threads that may block.
pub(super) async fn on_blocking_thread<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, SyncError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| match error.try_into_panic() {
        Ok(panic) => std::panic::resume_unwind(panic),
        Err(_) => SyncError::Stopping,
    })
}
