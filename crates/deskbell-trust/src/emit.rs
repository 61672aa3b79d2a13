//! Events made of what Clerk has: for destinations that should have had an event of everything that
//! existed before them.

use std::sync::Arc;

use clerk_api::{Client, Cursor};
use clerk_webhooks::NotAnEvent;
use deskbell_store::clock::now_ms;
use deskbell_store::deliveries::{DeliveryKey, NewDelivery};
use deskbell_store::{Appended, NewEvent, Origin, Seq, Store, StoreError};
use deskbell_sync::FetchedFrom;
use deskbell_sync::entity::{self, Change, Entity};

use crate::append::append_in_parts;
use crate::backfill::{
    BackfillError, BackfillProgress, ProgressError, WalkState, WalkStatus, with_causes,
};
use crate::object_pages::{ObjectPages, ReadError, ReadObject};
use crate::readings::{self, Readable};

/// Makes an event of every object of an entity, for these destinations alone.
pub(crate) struct Emission<'a> {
    pub(crate) client: Client,
    pub(crate) store: &'a dyn Store,
    /// The source that the events belong to, and its instance.
    pub(crate) from: FetchedFrom,
    pub(crate) event_type: &'a str,
    pub(crate) destinations: &'a [String],
}

/// Why an emission ended early. It goes on where it was.
#[derive(Debug, thiserror::Error)]
enum EmitError {
    #[error("cannot read Clerk's Backend API")]
    Read(#[from] ReadError),
    #[error("cannot write to the event log")]
    Store(#[from] StoreError),
    #[error("an object of Clerk's API makes no event")]
    Event(#[from] NotAnEvent),
    #[error("no list of Clerk's API has the objects of {0} events")]
    NoList(String),
    #[error(transparent)]
    Progress(#[from] ProgressError),
}

/// The event types that can be made of objects: each says that one was created or changed.
#[must_use]
pub fn emittable_types() -> Vec<&'static str> {
    let is_state = |name: &&str| name.ends_with(".created") || name.ends_with(".updated");
    let entities = readings::all().map(|readable| readable.entity);
    entities.flat_map(|entity| entity.upserted_by.iter().copied().filter(is_state)).collect()
}

/// The name of an emission's walk in the state of a backfill.
#[must_use]
pub fn emission_name(source: &str, event_type: &str) -> String {
    format!("{source}/{event_type}")
}

/// The source and the event type of an emission, if this is the name of one's walk.
#[must_use]
pub fn emission_of(walk: &str) -> Option<(&str, &str)> {
    walk.rsplit_once('/')
}

impl Emission<'_> {
    /// Makes the events that were not made before. What became of it is in the state.
    ///
    /// # Errors
    /// The key is not valid, or the state could not be kept.
    pub(crate) async fn run(&self, progress: &BackfillProgress<'_>) -> Result<(), BackfillError> {
        let mut walk = self.begin(progress);
        let mut delivered = vec![0; self.destinations.len()];
        match self.emit(&mut walk, &mut delivered, progress).await {
            Ok(()) => {
                (walk.status, walk.cursor) = (WalkStatus::Done, None);
                walk.finished_at_ms = Some(now_ms());
            }
            Err(EmitError::Progress(error)) => return Err(error.into()),
            Err(EmitError::Read(error)) if error.status() == Some(401) => {
                let source_name = self.from.source.to_string();
                return Err(BackfillError::Key { source_name, source: error });
            }
            Err(error) => {
                (walk.status, walk.error) = (WalkStatus::Failed, Some(with_causes(&error)));
            }
        }
        Ok(self.note(&walk, &delivered, progress).await?)
    }

    /// Where all destinations are, if they are at the same place; else from the beginning, which
    /// repeats nothing.
    fn begin(&self, progress: &BackfillProgress<'_>) -> WalkState {
        let (state, name) = (progress.now(), emission_name(&self.from.source, self.event_type));
        let mut walks = self.destinations.iter().map(|destination| state.of(destination, &name));
        let first = walks.next().flatten().filter(|walk| walk.cursor.is_some());
        let is_same = |walk: Option<&WalkState>| {
            walk.and_then(|walk| walk.cursor.as_ref())
                == first.and_then(|walk| walk.cursor.as_ref())
        };
        let from = first.filter(|_| walks.all(is_same)).cloned().unwrap_or_default();
        WalkState {
            status: WalkStatus::Running,
            error: None,
            started_at_ms: from.started_at_ms.or_else(|| Some(now_ms())),
            ..from
        }
    }

    async fn emit(
        &self,
        walk: &mut WalkState,
        delivered: &mut [u64],
        progress: &BackfillProgress<'_>,
    ) -> Result<(), EmitError> {
        let readable = self.readable()?;
        let cursor = walk.cursor.as_ref().and_then(|text| text.parse::<Cursor>().ok());
        let mut pages = ObjectPages::new(self.client.clone(), readable, cursor)?;
        self.note(walk, delivered, progress).await?;
        while let Some(page) = pages.next().await? {
            let objects: Vec<_> = page.objects_of(readable.entity).collect();
            self.deliver(&objects, delivered).await?;
            walk.read += u64::try_from(objects.len()).unwrap_or(u64::MAX);
            walk.total = page.total.or(walk.total);
            walk.cursor = page.next.map(|cursor| cursor.to_string());
            self.note(walk, delivered, progress).await?;
        }
        Ok(())
    }

    fn readable(&self) -> Result<Readable, EmitError> {
        let entity: Option<&Entity> = match entity::change(self.event_type) {
            Some((entity, Change::Upsert)) => Some(entity),
            _ => None,
        };
        let readable = readings::all().find(|readable| Some(readable.entity) == entity);
        readable.ok_or_else(|| EmitError::NoList(self.event_type.to_owned()))
    }

    /// Appends an event of each object, and adds its deliveries, which are counted for each destination.
    /// One that was made before is delivered to those destinations alone that never had it.
    async fn deliver(
        &self,
        objects: &[&ReadObject],
        delivered: &mut [u64],
    ) -> Result<(), EmitError> {
        let mut known = Vec::new();
        let mut new = Vec::new();
        for object in objects {
            let event = self.event_of(object)?;
            match self.store.find(&self.from.source, &event.message_id).await? {
                Some(stored) => known.push((stored.seq, stored.event.subject)),
                None => new.push(event),
            }
        }
        let appended = append_in_parts(self.store, &new).await?;
        let appended = appended.into_iter().map(Appended::seq);
        let events: Vec<(Seq, Option<String>)> =
            known.into_iter().chain(appended.zip(new.into_iter().map(|new| new.subject))).collect();
        for (destination, delivered) in self.destinations.iter().zip(delivered) {
            let destination: Arc<str> = destination.as_str().into();
            let deliveries = events.iter().map(|(seq, subject)| NewDelivery {
                key: DeliveryKey { destination: Arc::clone(&destination), seq: *seq },
                subject: subject.clone(),
            });
            *delivered += self.store.enqueue(&deliveries.collect::<Vec<_>>()).await?;
        }
        Ok(())
    }

    /// The event as Clerk would send it, but for `origin`, by which receivers can tell. Its id is always
    /// the same: an object is emitted once as this type.
    fn event_of(&self, object: &ReadObject) -> Result<NewEvent, NotAnEvent> {
        let event_type = self.event_type;
        let at_ms = match event_type.ends_with(".created") {
            true => object.created_at_ms(),
            false => object.updated_at_ms(),
        };
        let at_ms = at_ms.unwrap_or_else(|| object.answered_at_ms());
        // Names of instances and types have nothing that JSON escapes.
        let body = format!(
            r#"{{"data":{},"object":"event","type":"{event_type}","timestamp":{at_ms},"instance_id":"{}","origin":"backfill"}}"#,
            object.json(),
            self.from.instance_id
        );
        let message_id = format!("backfill_{event_type}_{}", object.id());
        let sent_at_seconds = u64::try_from(at_ms / 1_000).unwrap_or(0);
        let source = &self.from.source;
        NewEvent::of_body(source, &message_id, sent_at_seconds, &body.into(), Origin::Backfill)
    }

    async fn note(
        &self,
        walk: &WalkState,
        delivered: &[u64],
        progress: &BackfillProgress<'_>,
    ) -> Result<(), ProgressError> {
        let name = emission_name(&self.from.source, self.event_type);
        let destinations = self.destinations.iter().zip(delivered);
        progress
            .change(|state| {
                for (destination, delivered) in destinations {
                    let walk = WalkState { rows_written: *delivered, ..walk.clone() };
                    state.set(destination, &name, walk);
                }
            })
            .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_made_of_objects_says_that_they_are_there() {
        let types = emittable_types();
        for expected in ["user.created", "user.updated", "organizationMembership.created"] {
            assert!(types.contains(&expected), "{types:?}");
        }
        for other in ["user.deleted", "session.created", "email.created"] {
            assert!(!types.contains(&other), "{types:?}");
        }
    }

    #[test]
    fn a_walk_of_an_emission_is_told_from_one_of_a_mirror() {
        assert_eq!(
            emission_of(&emission_name("a/b", "user.created")),
            Some(("a/b", "user.created"))
        );
        assert_eq!(emission_of("organization_membership"), None);
    }
}
