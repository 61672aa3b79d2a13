//! Mirrors whose events only say what to fetch: the newest state of each entity is read from Clerk's API.

mod merge;

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use crate::batch::Batch;
use crate::entity::Entity;
use crate::fetched::{FetchedFrom, FetchedObject, WantedObject};
use crate::fold::Fold;
pub(crate) use merge::merge;

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
