//! Comparing a mirror with Clerk, object by object, and mending what differs.

mod outcome;
mod seen_ids;
mod surplus;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use clerk_api::{Client, lists};
use deskbell_store::{ConsumerLog, LogId};
use deskbell_sync::entity::Entity;
use deskbell_sync::{
    ConnectError, Differences, FetchedFrom, Fold, Mappings, MirrorComparison, MirrorOptions,
    Target, TargetError,
};
use tokio::time::sleep;

use crate::followed::BackfillSource;
use crate::instance::{KeyError, check_key};
use crate::object_pages::{ObjectPage, ObjectPages, ReadError, ReadObject};
use crate::readings::{self, Readable, Reading};
pub use outcome::{Found, MirrorReconciled, MissingUser, ReconcileState, Reconciled};
use seen_ids::SeenIds;

/// An event may be on its way to the mirror: a few differences are looked at again after this time.
pub const RECHECK_AFTER: Duration = Duration::from_secs(2);
/// The differences in a page that are looked at again. Where there are more, no event explains them.
const RECHECKS_MAX: usize = 20;
/// Rows that may be removed without being asked, however few there are.
const DELETES_MIN: u64 = 20;
/// Users that changed so long before the last look are looked at again.
const OVERLAP_MS: i64 = 10 * 60 * 1000;

/// A mirror that is compared.
pub struct ReconciledMirror {
    pub destination: String,
    comparison: MirrorComparison,
    /// Where differences are mended; `None` where none are.
    target: Option<Arc<dyn Target>>,
    fold: Fold,
}

/// Compares one mirror with one Clerk instance.
pub struct Reconcile<'a> {
    pub client: Client,
    /// The source that the objects belong to, and its instance.
    pub from: FetchedFrom,
    pub log_id: LogId,
    pub mirror: &'a ReconciledMirror,
    /// Whether differences are mended.
    pub repair: Option<Repair>,
    /// After how long a few differences are looked at again: [`RECHECK_AFTER`].
    pub recheck_after: Duration,
}

/// How differences are mended.
#[derive(Debug, Clone, Copy, Default)]
pub struct Repair {
    /// The rows of one entity that may be removed; by default 20, or 1 % of them where that is more.
    pub delete_at_most: Option<u64>,
}

/// Why an entity could not be compared whole.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    #[error("cannot read Clerk's Backend API")]
    Read(#[from] ReadError),
    #[error("cannot use the mirror `{destination}`")]
    Target { destination: String, source: TargetError },
}

impl ReconciledMirror {
    /// The mirror of these options, and its target where differences are to be mended.
    ///
    /// # Errors
    /// The options make no sense, or the mirror cannot be read.
    pub async fn open(
        options: &MirrorOptions,
        target: Option<Arc<dyn Target>>,
    ) -> Result<Self, ConnectError> {
        let comparison = MirrorComparison::open(options).await?;
        let mappings = Mappings::for_config(&options.database)?;
        let fold = Fold::new(Arc::new(mappings), options.sources.clone());
        Ok(Self { destination: options.destination.clone(), comparison, target, fold })
    }

    /// How it folds.
    #[must_use]
    pub fn fold(&self) -> &Fold {
        &self.fold
    }
}

impl<'a> Reconcile<'a> {
    /// Compares this mirror with the instance of the source, if the key is of it.
    ///
    /// # Errors
    /// It is of another one, or that is not known.
    pub async fn of_source(
        source: &BackfillSource,
        store: &dyn ConsumerLog,
        mirror: &'a ReconciledMirror,
        repair: Option<Repair>,
    ) -> Result<Self, KeyError> {
        let BackfillSource { name, client, instance_id, .. } = source;
        let configured = instance_id.as_deref();
        let instance_id = check_key(client, store, name, configured, &[mirror.fold()]).await?;
        Ok(Self {
            client: client.clone(),
            from: FetchedFrom { source: name.as_str().into(), instance_id },
            log_id: store.log_id(),
            mirror,
            repair,
            recheck_after: RECHECK_AFTER,
        })
    }
}

impl Reconcile<'_> {
    /// Compares these entities, or all that the mirror has. One that cannot be compared stops none of
    /// the others. `begins` is told the entity that is next.
    pub async fn run(
        &self,
        entities: &[String],
        begins: &(dyn Fn(&str) + Sync),
    ) -> Vec<Reconciled> {
        let mut outcomes = Vec::new();
        for readable in readings::all() {
            if self.is_wanted(readable, entities) {
                begins(readable.entity.name);
                outcomes.extend(self.compare_list(readable, entities).await);
            }
        }
        outcomes
    }

    fn has(&self, name: &str, entities: &[String]) -> bool {
        let entity = deskbell_sync::entity::find(name);
        entity.is_some_and(|entity| self.mirror.comparison.has(entity))
            && (entities.is_empty() || entities.iter().any(|wanted| wanted == name))
    }

    /// Subscription items are read on the way, where subscriptions are.
    fn is_wanted(&self, readable: Readable, entities: &[String]) -> bool {
        let name = readable.entity.name;
        let is_read_elsewhere = readings::all().any(|other| {
            other.reading.on_the_way() == Some(name) && self.has(other.entity.name, entities)
        });
        self.has(name, entities) && !is_read_elsewhere
    }

    async fn compare_list(&self, readable: Readable, entities: &[String]) -> Vec<Reconciled> {
        let on_the_way = readable.reading.on_the_way().filter(|name| self.has(name, entities));
        let on_the_way = on_the_way.and_then(deskbell_sync::entity::find);
        let of: Vec<_> = [Some(readable.entity), on_the_way].into_iter().flatten().collect();
        let mut outcomes: Vec<_> = of.iter().map(|entity| Reconciled::of(entity)).collect();
        if let Err(error) = self.walk(readable, &of, &mut outcomes).await {
            let nothing_read = outcomes.iter().all(|outcome| outcome.in_clerk == 0);
            let may_be_off = readable.entity.name != "user";
            let is_not_available = error.is_not_available() && nothing_read && may_be_off;
            for outcome in &mut outcomes {
                outcome.is_not_available = is_not_available;
                outcome.error = (!is_not_available).then(|| crate::backfill::with_causes(&error));
            }
        }
        outcomes
    }

    /// Reads the list, and compares each page of it.
    async fn walk(
        &self,
        readable: Readable,
        of: &[&'static Entity],
        outcomes: &mut [Reconciled],
    ) -> Result<(), ReconcileError> {
        for (entity, outcome) in of.iter().zip(&mut *outcomes) {
            let count = self.mirror.comparison.count(entity).await;
            outcome.in_mirror = count.map_err(|source| self.database(source))?;
        }
        let mut pages = ObjectPages::new(self.client.clone(), readable, None)?;
        let mut seen: Vec<_> = of.iter().map(|_| SeenIds::default()).collect();
        let mut started_at_ms = None;
        while let Some(page) = pages.next().await? {
            let answered = page.objects.iter().map(ReadObject::answered_at_ms).min();
            started_at_ms = started_at_ms.or(answered);
            for ((entity, outcome), seen) in of.iter().zip(&mut *outcomes).zip(&mut seen) {
                for object in page.objects_of(entity) {
                    seen.insert(object.id());
                }
                outcome.in_clerk = seen.len();
                self.compare_page(entity, &page, outcome).await?;
            }
        }
        if readable.reading.list().is_complete && matches!(readable.reading, Reading::List(_)) {
            // An empty list says nothing of when it was read: any row that is there is not in it.
            let started_at_ms = started_at_ms.unwrap_or(i64::MAX);
            self.look_for_surplus(readable, &seen[0], started_at_ms, &mut outcomes[0]).await?;
        }
        Ok(())
    }

    /// Compares a page with the rows of one of its entities, and mends what differs.
    async fn compare_page(
        &self,
        entity: &'static Entity,
        page: &ObjectPage,
        outcome: &mut Reconciled,
    ) -> Result<(), ReconcileError> {
        let mut found = self.differences(entity, &page.objects).await?;
        if (1..=RECHECKS_MAX).contains(&(found.missing.len() + found.stale.len())) {
            sleep(self.recheck_after).await;
            found = self.differences(entity, &page.objects).await?;
        }
        let missing: HashSet<_> = found.missing.iter().map(String::as_str).collect();
        let missing = page.objects_of(entity).filter(|object| missing.contains(object.id()));
        let newest = missing.filter_map(ReadObject::created_at_ms).max();
        outcome.newest_missing_at_ms = outcome.newest_missing_at_ms.max(newest);
        outcome.missing.add(&found.missing);
        outcome.stale.add(&found.stale);
        if self.repair.is_some() && !(found.is_empty() && found.unannounced.is_empty()) {
            outcome.repaired += self.write(entity, page, found).await?;
        }
        Ok(())
    }

    async fn differences(
        &self,
        entity: &'static Entity,
        objects: &[ReadObject],
    ) -> Result<Differences, ReconcileError> {
        let fetched: Vec<_> = objects.iter().map(ReadObject::as_fetched).collect();
        let batch = self.mirror.fold.fold_fetched(&self.from, &fetched);
        let found = self.mirror.comparison.compare(entity, &batch).await;
        found.map_err(|source| self.database(source))
    }

    /// Writes what is missing or stale. How many differences that has mended.
    async fn write(
        &self,
        entity: &'static Entity,
        page: &ObjectPage,
        found: Differences,
    ) -> Result<u64, ReconcileError> {
        let database = |source| self.database(source);
        let Some(target) = &self.mirror.target else { return Ok(0) };
        if !found.deleted.is_empty() {
            target.lift_tombstones(entity, &found.deleted).await.map_err(database)?;
        }
        let before = found.missing.len() + found.stale.len();
        let differing = [&found.missing, &found.stale, &found.unannounced];
        let differing: HashSet<_> = differing.into_iter().flatten().map(String::as_str).collect();
        let is_wanted =
            |object: &ReadObject| object.is_of(entity) && differing.contains(object.id());
        // All of the page: an object may hold another one that differs.
        let holds_others = page.objects.iter().any(|object| !object.is_of(entity));
        let wanted: Vec<_> = page
            .objects
            .iter()
            .filter(|object| holds_others || is_wanted(object))
            .map(ReadObject::as_fetched)
            .collect();
        let batch = self.mirror.fold.fold_fetched(&self.from, &wanted);
        target.apply_fetched(&batch, self.log_id).await.map_err(database)?;
        let left = self.mirror.comparison.compare(entity, &batch).await.map_err(database)?;
        let left = left.missing.len() + left.stale.len();
        Ok(before.saturating_sub(left) as u64)
    }

    async fn look_for_surplus(
        &self,
        readable: Readable,
        seen: &SeenIds,
        started_at_ms: i64,
        outcome: &mut Reconciled,
    ) -> Result<(), ReconcileError> {
        let entity = readable.entity;
        let candidates = self.candidates(entity, seen, started_at_ms).await?;
        let confirmed = self.confirmed(readable, candidates).await?;
        let mut surplus = Found::default();
        surplus.add(&confirmed);
        outcome.surplus = Some(surplus);
        let Some(repair) = self.repair.filter(|_| !confirmed.is_empty()) else { return Ok(()) };
        let count = confirmed.len() as u64;
        let at_most = repair.delete_at_most;
        let at_most = at_most.unwrap_or_else(|| (outcome.in_mirror / 100).max(DELETES_MIN));
        if count > at_most {
            outcome.held_back = Some(format!(
                "{count} rows are more than the {at_most} that may be removed at once"
            ));
            return Ok(());
        }
        let (Some(target), from) = (&self.mirror.target, &self.from) else { return Ok(()) };
        let removed = target
            .remove_unlisted(
                entity,
                &confirmed,
                from,
                started_at_ms.min(deskbell_store::clock::now_ms()),
                self.log_id,
            )
            .await;
        removed.map_err(|source| self.database(source))?;
        // A table may be blocked, or refuse a delete.
        let left = self.mirror.comparison.existing(entity, &confirmed).await;
        let left = left.map_err(|source| self.database(source))?.len() as u64;
        outcome.repaired += count.saturating_sub(left);
        Ok(())
    }

    /// Compares the users that have changed since this time, the last changed first. What was found,
    /// and up to when users were looked at, by Clerk's clock.
    ///
    /// # Errors
    /// The list or the mirror could not be read.
    pub async fn run_recent_users(
        &self,
        since_ms: i64,
    ) -> Result<(Reconciled, i64), ReconcileError> {
        let Some(readable) = readings::all().find(|readable| readable.entity.name == "user") else {
            return Ok((Reconciled::default(), since_ms));
        };
        let readable =
            Readable { reading: Reading::List(&lists::USERS_LAST_UPDATED_FIRST), ..readable };
        let mut outcome = Reconciled::of(readable.entity);
        let mut pages = ObjectPages::new(self.client.clone(), readable, None)?;
        let mut until_ms = since_ms;
        while let Some(page) = pages.next().await? {
            let changes = page.objects.iter().filter_map(ReadObject::updated_at_ms);
            let oldest = changes.clone().min().unwrap_or(i64::MIN);
            until_ms = changes.max().unwrap_or(until_ms).max(until_ms);
            outcome.in_clerk += page.objects.len() as u64;
            self.compare_page(readable.entity, &page, &mut outcome).await?;
            if oldest < since_ms.saturating_sub(OVERLAP_MS) {
                break;
            }
        }
        Ok((outcome, until_ms))
    }

    fn database(&self, source: TargetError) -> ReconcileError {
        ReconcileError::Target { destination: self.mirror.destination.clone(), source }
    }
}

impl Reconciled {
    fn of(entity: &Entity) -> Self {
        Self { entity: entity.name.to_owned(), ..Self::default() }
    }
}

impl ReconcileError {
    fn is_not_available(&self) -> bool {
        matches!(self, Self::Read(error) if error.is_not_available())
    }
}
