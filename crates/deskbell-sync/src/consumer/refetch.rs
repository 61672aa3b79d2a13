//! Reading what the events of a batch only say of.

use std::sync::Arc;

use deskbell_store::Seq;

use super::error::SyncError;
use super::read::on_blocking_thread;
use super::state::{MirrorConsumer, Ready};
use crate::fetched::WantedObject;
use crate::refetch::{Folded, NewestObjects, ObjectReader, ReadRequest, merge};

/// Objects that are in memory as they were read; then they are folded like events.
const OBJECTS_MAX: usize = 500;
/// Requests for one batch. One that would cost more is cut, so that the checkpoint moves in smaller steps:
/// a program that ends has not read for long in vain.
const REQUESTS_MAX: usize = 100;

impl MirrorConsumer {
    /// From now on an event only says what to fetch: what is written is the newest state, which this
    /// reader reads.
    #[must_use]
    pub fn refetching(mut self, reader: Arc<dyn ObjectReader>) -> Self {
        self.reader = Some(reader);
        self
    }

    /// The next batch, that behind `after`; `None` where the log ends there.
    pub(super) async fn next_batch(&mut self, after: Seq) -> Result<Option<Ready>, SyncError> {
        let ahead = self.ahead.take().filter(|ahead| ahead.after == after);
        let mut next = if ahead.is_some() { ahead } else { self.read_behind(after).await? };
        while let Some(Ready { folded, events, .. }) = &next
            && *events > 1
            && self.requests_for(folded) > REQUESTS_MAX
        {
            self.cut(*events);
            next = self.read_behind(after).await?;
        }
        Ok(next)
    }

    fn requests_for(&self, folded: &Folded) -> usize {
        self.reader.as_ref().map_or(0, |reader| reader.requests(&folded.wanted))
    }

    /// Reads what is wanted for the batch, each object once, and adds it. What Clerk does not have stays
    /// as the event says it. After a failure the rest is still wanted.
    pub(super) async fn refetch(&mut self, folded: &mut Folded) -> Result<(), SyncError> {
        let Some(reader) = self.reader.clone() else { return Ok(()) };
        while let Some(first) = folded.wanted.first() {
            let is_of_it = |wanted: &&WantedObject| wanted.source == first.source;
            let count = folded.wanted.iter().take_while(is_of_it).take(OBJECTS_MAX).count();
            let request = ReadRequest {
                destination: &self.destination,
                fold: &self.fold,
                source: &first.source,
                wanted: &folded.wanted[..count],
            };
            let read = self.stopping.run_until_cancelled(reader.read(request)).await;
            let newest = read.ok_or(SyncError::Stopping)??;
            self.count_read(count, newest.objects.len());
            let fold = Arc::clone(&self.fold);
            let fetched = on_blocking_thread(move || {
                let NewestObjects { from, objects } = newest;
                let objects: Vec<_> = objects.iter().map(|object| object.as_fetched()).collect();
                fold.fold_fetched(&from, &objects)
            });
            merge(&mut folded.batch, fetched.await?);
            folded.wanted.drain(..count);
            self.report_clerk_is_back();
        }
        Ok(())
    }
}
