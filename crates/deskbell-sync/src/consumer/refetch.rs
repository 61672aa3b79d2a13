//! Reading what the events of a batch only say of.

use std::sync::Arc;

use deskbell_store::Seq;

use super::error::SyncError;
use super::read::on_blocking_thread;
use super::state::{MirrorConsumer, Ready};
use crate::entity::{self, Entity};
use crate::fetched::WantedObject;
use crate::mirror_target::{Part, PartKind};
use crate::refetch::{Folded, NewestObjects, ObjectReader, ReadRequest, merge};
use crate::sql;

/// Objects that are in memory as they were read; then they are folded like events.
const OBJECTS_MAX: usize = 500;
/// Requests for one batch. One that would cost more is cut, so that the checkpoint moves in smaller steps:
/// a program that ends has not read for long in vain.
const REQUESTS_MAX: usize = 100;
// Each dead letter's event is of one object, which costs one request at most.
const _: () = assert!(sql::REQUESTS_MAX <= REQUESTS_MAX);

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
            && self.is_costly(folded, *events)
        {
            self.cut(*events);
            next = self.read_behind(after).await?;
        }
        Ok(next)
    }

    /// Whether what is wanted for these events costs more than one batch may, and fewer would do.
    pub(super) fn is_costly(&self, folded: &Folded, events: u64) -> bool {
        let requests = self.reader.as_ref().map_or(0, |reader| reader.requests(&folded.wanted));
        events > 1 && requests > REQUESTS_MAX
    }

    /// Whether the newest state of this entity, or of what it embeds, is what fills the part. Statements
    /// run with what their events say.
    pub(super) fn fills(&self, entity: &Entity, part: &Part) -> bool {
        let mappings = self.target.mappings();
        let is_filled_by = |name: &str| match part.kind {
            PartKind::Mirror => entity::find(name).is_some_and(|entity| entity.table == part.name),
            PartKind::Mapped => {
                let mut tables = mappings.tables().iter();
                tables.any(|table| table.name == part.name && table.entity.name == name)
            }
            PartKind::Statement => false,
        };
        let embedded = entity.embedded.iter().map(|embedded| embedded.entity);
        std::iter::once(entity.name).chain(embedded).any(is_filled_by)
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
            merge(&mut folded.batch, fetched.await?, self.target.mappings().tables());
            folded.wanted.drain(..count);
            self.report_clerk_is_back();
        }
        Ok(())
    }
}
