//! A mirror that is filled.

use std::fmt;
use std::sync::Arc;

use deskbell_store::LogId;
use deskbell_sync::{FetchedCommit, FetchedFrom, Fold, MirrorOptions, Target, TargetError, entity};

use super::state::{WalkState, WalkStatus};
use crate::object_pages::ReadObject;
use crate::readings::{Readable, Reading};

/// A mirror that is filled with objects from Clerk's API.
pub struct BackfillMirror {
    pub destination: String,
    target: Arc<dyn Target>,
    fold: Fold,
    /// The names of the tables that are blocked.
    blocked: Vec<String>,
}

impl BackfillMirror {
    /// The mirror of these options, which is open.
    #[must_use]
    pub fn new(target: Arc<dyn Target>, options: &MirrorOptions) -> Self {
        let fold = Fold::new(target.mappings(), options.sources.clone());
        Self { destination: options.destination.clone(), target, fold, blocked: Vec::new() }
    }

    /// Looks at what is blocked now.
    ///
    /// # Errors
    /// The mirror could not be read.
    pub async fn look_at_blocked(&mut self) -> Result<(), TargetError> {
        let waiting = self.target.waiting(&self.destination).await?;
        self.blocked = waiting.blocked.into_iter().map(|blocked| blocked.part.name).collect();
        Ok(())
    }

    /// Whether a walk that was done but for blocked tables would have to leave them out again.
    pub(super) fn is_blocked_for(&self, walk: &WalkState) -> bool {
        walk.status == WalkStatus::Incomplete
            && walk.passed_over.iter().any(|name| self.blocked.contains(name))
    }

    /// How it folds.
    #[must_use]
    pub fn fold(&self) -> &Fold {
        &self.fold
    }

    /// Whether the mirror takes what is read here. Subscription items are read on the way, where
    /// subscriptions are wanted too.
    pub(crate) fn takes(&self, readable: Readable, entities: &[String]) -> bool {
        if !self.fold.makes_rows_of(readable.entity) {
            return false;
        }
        let Reading::List(_) = readable.reading else { return true };
        let is_read_elsewhere = crate::readings::all().any(|other| {
            other.reading.on_the_way() == Some(readable.entity.name)
                && self.fold.makes_rows_of(other.entity)
                && (entities.is_empty() || entities.iter().any(|name| name == other.entity.name))
        });
        !is_read_elsewhere
    }

    /// Writes the objects, as far as nothing newer is known.
    pub(crate) async fn write(
        &self,
        from: &FetchedFrom,
        objects: &[ReadObject],
        log_id: LogId,
    ) -> Result<FetchedCommit, TargetError> {
        let fetched: Vec<_> = objects.iter().map(ReadObject::as_fetched).collect();
        let batch = self.fold.fold_fetched(from, &fetched);
        self.target.apply_fetched(&batch, log_id).await
    }

    /// Whether objects of this entity become rows here.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        entity::find(name).is_some_and(|entity| self.fold.makes_rows_of(entity))
    }
}

impl fmt::Debug for BackfillMirror {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BackfillMirror")
            .field("destination", &self.destination)
            .finish_non_exhaustive()
    }
}
