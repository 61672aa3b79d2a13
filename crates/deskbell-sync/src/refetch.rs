//! Mirrors whose events only say what to fetch: the newest state of each entity is read from Clerk's API.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use crate::batch::{Batch, MappedRow, Row};
use crate::entity::Entity;
use crate::fetched::{FetchedFrom, FetchedObject, WantedObject};
use crate::fold::Fold;

/// Reads objects from Clerk's API by their ids.
#[async_trait]
pub trait ObjectReader: fmt::Debug + Send + Sync {
    /// Whether objects of this entity can be read by their ids. Of the others, events alone tell.
    fn reads(&self, entity: &Entity) -> bool;

    /// How many requests reading these costs.
    fn requests(&self, wanted: &[WantedObject]) -> usize;

    /// The objects as they are now; one that Clerk does not have is left out, and so is one of another
    /// instance.
    ///
    /// # Errors
    /// Clerk's API cannot be read, or the secret key must not be used. The caller waits, and reads again.
    async fn read(&self, request: ReadRequest<'_>) -> Result<NewestObjects, ObjectReadError>;
}

/// What is to be read for a mirror.
#[derive(Debug, Clone, Copy)]
pub struct ReadRequest<'a> {
    pub destination: &'a str,
    /// How the mirror folds: it knows the mirror's instance.
    pub fold: &'a Fold,
    /// The source of all that is wanted.
    pub source: &'a str,
    pub wanted: &'a [WantedObject],
}

/// Objects that were read.
#[derive(Debug)]
pub struct NewestObjects {
    pub from: FetchedFrom,
    pub objects: Vec<NewestObject>,
}

/// One of them. `Debug` leaves its content out: it is personal data.
pub struct NewestObject {
    pub entity: &'static Entity,
    pub json: Box<str>,
    /// As [`FetchedObject::answered_at_ms`].
    pub answered_at_ms: i64,
}

/// Why objects cannot be read now.
#[derive(Debug, thiserror::Error)]
#[error("cannot read Clerk's Backend API for source `{source_name}`")]
pub struct ObjectReadError {
    pub source_name: String,
    /// Whether somebody has to do something: the secret key cannot be used.
    pub is_permanent: bool,
    #[source]
    pub cause: Box<dyn Error + Send + Sync>,
}

impl NewestObject {
    pub(crate) fn as_fetched(&self) -> FetchedObject<'_> {
        let Self { entity, json, answered_at_ms } = self;
        FetchedObject { entity, json, answered_at_ms: *answered_at_ms }
    }
}

impl fmt::Debug for NewestObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewestObject").field("entity", &self.entity.name).finish_non_exhaustive()
    }
}

/// What was folded, and what is still to be read for it.
#[derive(Debug)]
pub(crate) struct Folded {
    pub(crate) batch: Batch,
    /// Those of one source are together.
    pub(crate) wanted: Vec<WantedObject>,
}

/// Folds the events, and names what is to be read for them, if anything is.
pub(crate) fn fold_naming(
    fold: &Fold,
    events: &[deskbell_store::StoredEvent],
    reader: Option<&Arc<dyn ObjectReader>>,
) -> Folded {
    match reader {
        None => Folded { batch: fold.fold(events), wanted: Vec::new() },
        Some(reader) => {
            let (batch, wanted) = fold.fold_naming(events, |entity| reader.reads(entity));
            Folded { batch, wanted }
        }
    }
}

/// Adds objects that were read to the events that they were read for. Of two versions of an entity the
/// greater one stays.
pub(crate) fn merge(batch: &mut Batch, fetched: Batch) {
    for table in fetched.tables {
        match batch.tables.iter_mut().find(|known| known.entity == table.entity) {
            Some(known) => merge_into(&mut known.rows, table.rows, |row| &row.id, merge_row),
            None => batch.tables.push(table),
        }
    }
    for (known, changes) in batch.mapped.iter_mut().zip(fetched.mapped) {
        merge_into(&mut known.rows, changes.rows, |row| &row.id, merge_mapped);
    }
    batch.dead_letters.extend(fetched.dead_letters);
    batch.dead_letters.sort_unstable();
    batch.dead_letters.dedup();
}

/// Both are in the order of their ids, and stay so.
fn merge_into<T>(
    known: &mut Vec<T>,
    fetched: Vec<T>,
    id: fn(&T) -> &str,
    merge: fn(known: &mut T, fetched: T),
) {
    for one in fetched {
        match known.binary_search_by(|other| id(other).cmp(id(&one))) {
            Ok(index) => merge(&mut known[index], one),
            Err(index) => known.insert(index, one),
        }
    }
}

fn merge_row(event: &mut Row, mut fetched: Row) {
    if fetched.version <= event.version {
        return;
    }
    for &position in &fetched.absent {
        if let (Some(value), Some(known)) =
            (fetched.values.get_mut(position), event.values.get_mut(position))
        {
            std::mem::swap(value, known);
        }
    }
    fetched.event = event.event.clone();
    fetched.caused_by = Some(Box::new(event.version.clone()));
    *event = fetched;
}

fn merge_mapped(event: &mut MappedRow, fetched: MappedRow) {
    if fetched.version > event.version {
        *event = fetched;
    }
}
