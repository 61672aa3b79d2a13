//! The fold: a batch of events down to the newest version of each entity. Pure; knows no SQL.

mod evaluate;
mod folding;
mod instances;
mod mapped;
mod object;
mod rows;
mod wanted;

use std::collections::BTreeMap;
use std::sync::Arc;

use deskbell_store::{SourceInstances, StoreError, StoredEvent};

use crate::batch::Batch;
use crate::entity::{self, Change, Entity};
use crate::fetched::{FetchedFrom, FetchedObject, WantedObject};
use crate::mapping::Mappings;
use crate::options::SourceRule;
pub(crate) use evaluate::absent_in_delete;
pub(crate) use evaluate::evaluate_set;
use folding::Folding;
use instances::Instances;
pub(crate) use instances::OtherSource;
pub use instances::{is_example_instance, mirror_instance};
use object::Object;
pub(crate) use rows::row_again;

/// Folds batches of events for one destination.
#[derive(Debug)]
pub struct Fold {
    mappings: Arc<Mappings>,
    instances: Instances,
}

impl Fold {
    /// A fold to these mappings, of events from these sources; from all where `sources` is empty.
    #[must_use]
    pub fn new(mappings: Arc<Mappings>, sources: BTreeMap<String, SourceRule>) -> Self {
        Self { mappings, instances: Instances::new(sources) }
    }

    /// The Clerk instances that the sources belong to.
    pub(crate) fn instances(&self) -> &Instances {
        &self.instances
    }

    /// The instance that the mirror has the rows of, as far as the config and the store know it of any of
    /// its sources.
    ///
    /// # Errors
    /// The store could not be read.
    pub async fn instance(
        &self,
        store: &dyn SourceInstances,
    ) -> Result<Option<String>, StoreError> {
        self.instances.load(store).await?;
        Ok(self.instances.of_the_mirror())
    }

    /// Folds these events.
    #[must_use]
    pub fn fold(&self, events: &[StoredEvent]) -> Batch {
        self.folding(events).finish()
    }

    /// As [`fold`](Self::fold), and the objects of these entities that the events are about.
    pub(crate) fn fold_naming(
        &self,
        events: &[StoredEvent],
        is_wanted: impl Fn(&Entity) -> bool,
    ) -> (Batch, Vec<WantedObject>) {
        let folding = self.folding(events);
        let wanted = folding.wanted(is_wanted);
        (folding.finish(), wanted)
    }

    fn folding<'a>(&'a self, events: &'a [StoredEvent]) -> Folding<'a> {
        let mut folding = Folding::new(&self.mappings);
        for event in events {
            self.take(event, &mut folding);
        }
        folding
    }

    /// Folds objects that were read from Clerk's API. No statement runs for them.
    #[must_use]
    pub fn fold_fetched(&self, from: &FetchedFrom, objects: &[FetchedObject<'_>]) -> Batch {
        let events = objects.iter().map(|object| (object.entity, object.as_event(from)));
        let events: Vec<_> = events.collect();
        let mut folding = Folding::new(&self.mappings);
        for (entity, event) in &events {
            if !self.makes_rows_of(entity) {
                folding.counts.not_mirrored += 1;
                continue;
            }
            match Object::read(event) {
                Err(reason) => folding.give_up(event, entity, &reason),
                Ok(object) => self.offer(entity, object, &mut folding),
            }
        }
        folding.finish()
    }

    fn take<'a>(&'a self, event: &'a StoredEvent, folding: &mut Folding<'a>) {
        if !event.origin.is_message() {
            folding.counts.not_mirrored += 1;
            return;
        }
        if !self.instances.accepts(event) {
            folding.counts.other_instance += 1;
            return;
        }
        let change = entity::change(&event.event_type);
        if event.is_pruned() {
            self.take_pruned(event, change, folding);
            return;
        }
        folding.take_statements(event, change);
        // A delete counts whatever is mirrored: it takes the entity's children along.
        let Some((entity, change)) = change
            .filter(|(entity, change)| *change == Change::Delete || self.makes_rows_of(entity))
        else {
            folding.counts.not_mirrored += 1;
            return;
        };
        match Object::read(event) {
            Err(reason) => folding.give_up(event, entity, &reason),
            Ok(object) if change == Change::Delete => folding.delete(entity, object),
            Ok(object) => self.offer(entity, object, folding),
        }
    }

    /// The subject of an event outlives its payload, and is all that a delete needs.
    fn take_pruned<'a>(
        &'a self,
        event: &'a StoredEvent,
        change: Option<(&'static Entity, Change)>,
        folding: &mut Folding<'a>,
    ) {
        match (change, &event.subject) {
            (Some((entity, Change::Delete)), Some(subject)) => {
                folding.delete_by_id(entity, event, subject.clone());
            }
            (Some((entity, _)), _) if self.makes_rows_of(entity) => folding.counts.pruned += 1,
            _ => folding.counts.not_mirrored += 1,
        }
    }

    /// Whether a version of this entity is a row of anything.
    #[must_use]
    pub fn makes_rows_of(&self, entity: &Entity) -> bool {
        self.mappings.wants(entity) || self.mappings.embedded(entity).next().is_some()
    }

    fn offer<'a>(&self, entity: &'static Entity, object: Object<'a>, folding: &mut Folding<'a>) {
        folding.counts.applied += 1;
        for (embedded, of) in self.mappings.embedded(entity) {
            for element in object.embedded(embedded) {
                folding.offer(of, element);
            }
        }
        if self.mappings.wants(entity) {
            folding.offer(entity, object);
        }
    }
}
