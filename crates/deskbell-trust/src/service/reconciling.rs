//! Comparing filled mirrors with Clerk, on a schedule: everything now and then, and in between the
//! users that have changed.

use std::time::Duration;

use deskbell_store::clock::{now_ms, whole_ms};
use deskbell_store::{ConsumerLog, Leases, Seq, StoreError};
use deskbell_sync::{ConnectError, Target, TargetError};
use tokio::time::sleep;

use crate::backfill::{BackfillState, WalkStatus, read_backfill_state};
use crate::followed::{BackfillSource, FollowedMirror, is_read_from};
use crate::instance::KeyError;
use crate::readings::is_one_list;
use crate::reconcile::{
    MirrorReconciled, Reconcile, ReconcileError, ReconcileState, Reconciled, ReconciledMirror,
    Repair,
};

/// The consumer whose report is the last result.
const RECONCILE: &str = "reconcile";
/// How long a process that writes the result keeps others from writing one.
const LEASE: Duration = Duration::from_secs(5);
/// How often users that have changed are looked at.
const RECENT_USERS_INTERVAL_MS: i64 = 15 * 60 * 1000;
/// How often, and in which interval, it is looked whether a mirror has caught up with the log.
const CATCH_UP_ATTEMPTS: u32 = 10;
const CATCH_UP_INTERVAL: Duration = Duration::from_secs(1);
/// How long after a failure it is tried again.
const RETRY_MS: i64 = 10 * 60 * 1000;

/// When mirrors are compared.
#[derive(Debug)]
pub(super) struct Reconciling {
    every_ms: Option<i64>,
    not_before_ms: i64,
}

#[derive(Debug, thiserror::Error)]
enum ReconcilingError {
    #[error("cannot use the event log's store")]
    Store(#[from] StoreError),
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error("cannot open the mirror")]
    Open(#[from] ConnectError),
    #[error(transparent)]
    Reconcile(#[from] ReconcileError),
    #[error("cannot read the mirror's checkpoint")]
    Target(#[from] TargetError),
    #[error("not everything could be compared: {0}")]
    Incomplete(String),
}

/// What is due for a mirror.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Due {
    Everything,
    /// The users that have changed since this time.
    Users {
        since_ms: i64,
    },
}

impl Reconciling {
    pub(super) fn new(every: Option<Duration>) -> Self {
        Self { every_ms: every.map(whole_ms), not_before_ms: 0 }
    }

    /// Compares the mirrors for which it is time.
    pub(super) async fn run_if_due(
        &mut self,
        store: &dyn ConsumerLog,
        sources: &[BackfillSource],
        mirrors: &[FollowedMirror],
    ) {
        let (Some(every_ms), true) = (self.every_ms, now_ms() >= self.not_before_ms) else {
            return;
        };
        for source in sources {
            for mirror in mirrors {
                if !is_read_from(&mirror.options, source, sources) {
                    continue;
                }
                if let Err(error) = run_if_due(store, source, mirror, every_ms).await {
                    let destination = &mirror.options.destination;
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(destination, error, "a mirror was not compared with Clerk");
                    self.not_before_ms = now_ms() + RETRY_MS;
                }
            }
        }
    }
}

async fn run_if_due(
    store: &dyn ConsumerLog,
    source: &BackfillSource,
    followed: &FollowedMirror,
    every_ms: i64,
) -> Result<(), ReconcilingError> {
    let destination = &followed.options.destination;
    let Some(backfill) = read_backfill_state(store).await? else { return Ok(()) };
    let mut state = read_reconcile_state(store).await?.unwrap_or_default();
    let last = state.mirrors.get(destination);
    let filled = filled_entities(&backfill, destination);
    let filled_at_ms = filled_at(&backfill, destination);
    let due = due(last, filled_at_ms, every_ms, now_ms())
        .filter(|due| *due == Due::Everything || filled.iter().any(|name| name == "user"));
    let (Some(due), Some(target)) = (due, followed.target.borrow().clone()) else {
        return Ok(());
    };
    if !has_caught_up(store, &*target, destination).await? {
        return Ok(());
    }
    let mirror = ReconciledMirror::open(&followed.options, Some(target)).await?;
    let repair = Some(Repair::default());
    let reconcile = Reconcile::of_source(source, store, &mirror, repair).await?;
    let started_at_ms = now_ms();
    let before = last.cloned().unwrap_or_default();
    let (next, failed) = match due {
        Due::Everything => compare_all(&reconcile, &filled, before, started_at_ms).await,
        Due::Users { since_ms } => {
            let filled_at_ms = filled_at_ms.unwrap_or(started_at_ms);
            let (found, until_ms) = reconcile.run_recent_users(since_ms).await?;
            let users = std::slice::from_ref(&found);
            report(destination, users);
            let before = before.with_missing_of(&source.name, users);
            let next = MirrorReconciled {
                // The alert says since when.
                started_at_ms: if before.started_at_ms > 0 {
                    before.started_at_ms
                } else {
                    filled_at_ms
                },
                users_until_ms: Some(until_ms),
                users_looked_at_ms: Some(started_at_ms),
                repaired: before.repaired + found.repaired,
                ..before
            };
            (next, None)
        }
    };
    if failed.is_none() {
        let (seconds, labels) = (started_at_ms / 1_000, [("destination", destination.clone())]);
        let last_run = "deskbell_reconcile_last_run_timestamp_seconds";
        metrics::gauge!(last_run, &labels).set(seconds as f64);
    }
    state.mirrors.insert(destination.clone(), next);
    write(store, &state).await?;
    failed.map_or(Ok(()), |error| Err(ReconcilingError::Incomplete(error)))
}

/// Compares all of these entities. Where one could not be compared, what was found before stays, and
/// the second value says why.
async fn compare_all(
    reconcile: &Reconcile<'_>,
    filled: &[String],
    before: MirrorReconciled,
    started_at_ms: i64,
) -> (MirrorReconciled, Option<String>) {
    let entities = reconcile.run(filled, &|_| {}).await;
    report(&reconcile.mirror.destination, &entities);
    let before = before.with_missing_of(&reconcile.from.source, &entities);
    let repaired = entities.iter().map(|entity| entity.repaired).sum::<u64>();
    if let Some(failed) = entities.iter().find_map(|entity| entity.error.clone()) {
        return (MirrorReconciled { repaired: before.repaired + repaired, ..before }, Some(failed));
    }
    let next = MirrorReconciled {
        started_at_ms,
        finished_at_ms: now_ms(),
        users_until_ms: before.users_until_ms,
        users_looked_at_ms: Some(started_at_ms),
        entities,
        newest_missing_user: before.newest_missing_user,
        repaired,
    };
    (next, None)
}

/// What is due, if anything; nothing while the mirror was not filled.
fn due(
    last: Option<&MirrorReconciled>,
    filled_at_ms: Option<i64>,
    every_ms: i64,
    now_ms: i64,
) -> Option<Due> {
    let filled_at_ms = filled_at_ms?;
    let last = last.filter(|last| last.started_at_ms > 0 || last.users_looked_at_ms.is_some());
    let compared_at_ms = last.map_or(0, |last| last.started_at_ms).max(filled_at_ms);
    if now_ms - compared_at_ms >= every_ms {
        return Some(Due::Everything);
    }
    let looked_at_ms = last.and_then(|last| last.users_looked_at_ms).unwrap_or(filled_at_ms);
    let since_ms = last.and_then(|last| last.users_until_ms).unwrap_or(filled_at_ms);
    (now_ms - looked_at_ms >= RECENT_USERS_INTERVAL_MS).then_some(Due::Users { since_ms })
}

/// The entities of which the mirror has had everything, and whose objects one list has: reading the rest
/// one by one is for the command.
fn filled_entities(backfill: &BackfillState, destination: &str) -> Vec<String> {
    let walks = backfill.walks().filter(|(name, entity, walk)| {
        *name == destination && walk.status == WalkStatus::Done && is_one_list(entity)
    });
    walks.map(|(_, entity, _)| entity.to_owned()).collect()
}

/// When the mirror was filled first; `None` before.
fn filled_at(backfill: &BackfillState, destination: &str) -> Option<i64> {
    let done = backfill
        .walks()
        .filter(|(name, _, walk)| *name == destination && walk.status == WalkStatus::Done);
    done.filter_map(|(.., walk)| walk.started_at_ms).min()
}

/// Whether the mirror has applied what is in the log now. What it has not is no difference.
async fn has_caught_up(
    store: &dyn ConsumerLog,
    target: &dyn Target,
    destination: &str,
) -> Result<bool, ReconcilingError> {
    let (log_id, head) = (store.log_id(), store.head().await?);
    for attempt in 0..CATCH_UP_ATTEMPTS {
        let checkpoints = target.checkpoints(destination).await?;
        let ours = checkpoints.into_iter().find(|checkpoint| checkpoint.log_id == log_id);
        if ours.map_or(Seq::ZERO, |checkpoint| checkpoint.seq) >= head {
            return Ok(true);
        }
        if attempt + 1 < CATCH_UP_ATTEMPTS {
            sleep(CATCH_UP_INTERVAL).await;
        }
    }
    Ok(false)
}

fn report(destination: &str, entities: &[Reconciled]) {
    for outcome in entities {
        let entity = outcome.entity.as_str();
        let (missing, stale) = (outcome.missing.count, outcome.stale.count);
        let surplus = outcome.surplus.as_ref().map_or(0, |found| found.count);
        for (kind, count) in [("missing", missing), ("stale", stale), ("surplus", surplus)] {
            let labels = [("destination", destination.to_owned()), ("entity", entity.to_owned())];
            let labels = labels.into_iter().chain([("kind", kind.to_owned())]);
            let labels: Vec<_> = labels.collect();
            metrics::counter!("deskbell_reconcile_differences_total", &labels).increment(count);
        }
        let repaired = outcome.repaired;
        metrics::counter!(
            "deskbell_reconcile_repaired_total",
            "destination" => destination.to_owned(), "entity" => entity.to_owned()
        )
        .increment(repaired);
        if outcome.found() > 0 {
            let held_back = outcome.held_back.as_deref();
            tracing::warn!(
                destination,
                entity,
                missing,
                stale,
                surplus,
                repaired,
                held_back,
                "the mirror differed from Clerk"
            );
        }
        if let Some(error) = &outcome.error {
            tracing::warn!(destination, entity, error, "an entity was not compared with Clerk");
        }
    }
}

/// The last results; `None` where nothing was ever compared.
///
/// # Errors
/// The store could not be read.
pub async fn read_reconcile_state(
    store: &dyn Leases,
) -> Result<Option<ReconcileState>, StoreError> {
    let report = store.latest_report(RECONCILE).await?;
    Ok(report.and_then(|report| serde_json::from_str(&report.body).ok()))
}

async fn write(store: &dyn Leases, state: &ReconcileState) -> Result<(), StoreError> {
    if !store.renew_lease(RECONCILE, LEASE).await? {
        return Ok(());
    }
    // Strings and numbers: it cannot fail.
    let body = serde_json::to_string(state).unwrap_or_default();
    store.publish_report(RECONCILE, &body).await?;
    store.release_lease(RECONCILE).await
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY_MS: i64 = 24 * 3_600_000;
    const NOW_MS: i64 = 100 * DAY_MS;

    fn compared(started_ago_ms: i64, users_ago_ms: i64) -> MirrorReconciled {
        MirrorReconciled {
            started_at_ms: NOW_MS - started_ago_ms,
            users_looked_at_ms: Some(NOW_MS - users_ago_ms),
            users_until_ms: Some(7),
            ..MirrorReconciled::default()
        }
    }

    #[test]
    fn everything_is_due_after_the_interval_and_users_in_between() {
        let minute = 60_000;
        let filled = Some(NOW_MS - 50 * DAY_MS);
        for (last, filled_at_ms, expected) in [
            (None, None, None),
            (Some(compared(9 * DAY_MS, DAY_MS)), None, None),
            (None, filled, Some(Due::Everything)),
            (None, Some(NOW_MS - minute), None),
            (None, Some(NOW_MS - 20 * minute), Some(Due::Users { since_ms: NOW_MS - 20 * minute })),
            (Some(compared(DAY_MS, minute)), filled, Some(Due::Everything)),
            (Some(compared(DAY_MS - 1, 15 * minute)), filled, Some(Due::Users { since_ms: 7 })),
            (Some(compared(DAY_MS - 1, 14 * minute)), filled, None),
        ] {
            let found = due(last.as_ref(), filled_at_ms, DAY_MS, NOW_MS);
            assert_eq!(found, expected, "{last:?} {filled_at_ms:?}");
        }
    }
}
