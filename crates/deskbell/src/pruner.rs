//! The pruner: deletes what is past its retention from the log and, if the config says so, what is
//! stored about deleted users. It warns about what blocks it.

mod erase;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use deskbell_delivery::shown_time;
use deskbell_store::retention::{BlockedBy, PruneOptions, Pruned, RetentionBlocker};
use deskbell_store::{Leader, LogId, Retention, Seq, StoreError, run_as_leader};
use deskbell_sync::{MirrorOptions, Target, TargetError};
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;

use crate::config::StoreConfig;

/// The consumer whose lease is held.
const CONSUMER: &str = "pruner";
const POLL_INTERVAL: Duration = Duration::from_secs(5 * 60);
/// Rows in one transaction. Appends wait while it holds SQLite's writer.
const ROWS_MAX: u32 = 100;
/// Between two transactions, so that the writer is free most of the time.
const PAUSE: Duration = Duration::from_millis(50);
/// How often the same blocker is warned about.
const WARN_INTERVAL: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(24 * 3_600);

/// A mirror, whose checkpoint is in its own database.
#[derive(Debug, Clone)]
pub(crate) struct Mirror {
    /// The database, once it could be opened.
    pub(crate) target: watch::Receiver<Option<Arc<dyn Target>>>,
    /// To open its dead letters.
    pub(crate) options: MirrorOptions,
}

#[derive(Debug)]
pub(crate) struct Pruner {
    store: Arc<dyn Retention>,
    log_id: LogId,
    pruning: PruneOptions,
    mirrors: Vec<Mirror>,
    /// Whether deleted users are erased.
    erases: bool,
    /// Something was erased, and the database's journals may still have it.
    to_scrub: bool,
    warned: HashMap<(BlockedBy, String), Instant>,
}

impl Pruner {
    /// Keeps what the config says, and what these destinations and mirrors still need.
    pub(crate) fn new(
        store: Arc<dyn Retention>,
        log_id: LogId,
        config: &StoreConfig,
        destinations: Vec<String>,
        mirrors: Vec<Mirror>,
    ) -> Self {
        let retention = &config.retention;
        let pruning = PruneOptions {
            payloads: retention.payloads.0,
            events: retention.events.0,
            attempts: retention.attempts.0,
            commands: 30 * DAY,
            one_time_codes: DAY,
            destinations,
            external_checkpoint: None,
            rows_max: ROWS_MAX,
        };
        Self {
            store,
            log_id,
            pruning,
            mirrors,
            erases: config.erase_on_delete,
            // An earlier process may have ended between the two.
            to_scrub: config.erase_on_delete,
            warned: HashMap::new(),
        }
    }

    /// Prunes until `shutdown`, while this process is the leader.
    pub(crate) async fn run(mut self, shutdown: CancellationToken) {
        let store = Arc::clone(&self.store);
        run_as_leader(&*store, CONSUMER, &shutdown, &mut self).await;
    }

    async fn run_once(&mut self, shutdown: &CancellationToken) -> Result<(), StoreError> {
        let slowest = self.slowest().await;
        self.prune(slowest.clone(), shutdown).await?;
        if self.erases {
            self.erase(slowest.map(|(_, seq)| seq), shutdown).await?;
        }
        Ok(())
    }

    /// Prunes a batch at a time until nothing is left to prune.
    async fn prune(
        &mut self,
        slowest: Option<(String, Seq)>,
        shutdown: &CancellationToken,
    ) -> Result<(), StoreError> {
        let pruning = PruneOptions {
            external_checkpoint: slowest.as_ref().map(|(_, seq)| *seq),
            ..self.pruning.clone()
        };
        let mut sum = Pruned::default();
        while !shutdown.is_cancelled() {
            let pruned = self.store.prune(&pruning).await?;
            add(&mut sum, &pruned);
            if !pruned.more {
                self.warn(&pruned.blockers, slowest.as_ref().map(|(name, _)| name.as_str()));
                break;
            }
            sleep(PAUSE).await;
        }
        report(&sum);
        Ok(())
    }

    /// The mirror that is furthest behind. One whose checkpoint is unknown may need all of the log.
    async fn slowest(&self) -> Option<(String, Seq)> {
        let mut slowest: Option<(String, Seq)> = None;
        for mirror in &self.mirrors {
            let destination = &mirror.options.destination;
            let seq = mirror.reads_behind(self.log_id).await.unwrap_or_else(|error| {
                let error = &error as &dyn std::error::Error;
                tracing::debug!(destination, error, "the mirror's checkpoint is not known");
                Seq::ZERO
            });
            if slowest.as_ref().is_none_or(|(_, least)| seq < *least) {
                slowest = Some((destination.clone(), seq));
            }
        }
        slowest
    }

    fn warn(&mut self, blockers: &[RetentionBlocker], mirror: Option<&str>) {
        let now = Instant::now();
        self.warned.retain(|_, at| now.duration_since(*at) < WARN_INTERVAL);
        for RetentionBlocker { by, seq, since_ms } in blockers {
            let (destination, why) = match by {
                BlockedBy::Checkpoint(name) => (&**name, "has not been routed"),
                BlockedBy::Delivery(name) => (&**name, "still has a pending delivery"),
                BlockedBy::External => (mirror.unwrap_or("mirror"), "has not reached the mirror"),
            };
            let key = (by.clone(), destination.to_owned());
            if self.warned.contains_key(&key) {
                continue;
            }
            tracing::warn!(
                destination,
                seq = seq.get(),
                received = shown_time(*since_ms),
                "pruning is blocked: an old event {why}"
            );
            self.warned.insert(key, now);
        }
    }
}

impl Mirror {
    /// The checkpoint of the mirror, or of its blocked table that is furthest behind.
    async fn reads_behind(&self, log_id: LogId) -> Result<Seq, TargetError> {
        let target = self.target.borrow().clone();
        match target {
            Some(target) => target.reads_behind(&self.options.destination, log_id).await,
            None => Ok(Seq::ZERO),
        }
    }
}

fn add(sum: &mut Pruned, pruned: &Pruned) {
    sum.payloads += pruned.payloads;
    sum.events += pruned.events;
    sum.attempts += pruned.attempts;
    sum.commands += pruned.commands;
    sum.dead_lettered += pruned.dead_lettered;
}

fn report(pruned: &Pruned) {
    let Pruned { payloads, events, attempts, commands, dead_lettered, .. } = *pruned;
    if payloads + events + attempts + commands > 0 {
        tracing::info!(payloads, events, attempts, commands, "pruned the event log");
    }
    if dead_lettered > 0 {
        tracing::warn!(
            deliveries = dead_lettered,
            "deliveries to destinations that are no longer in the config failed permanently, \
             because their payloads were pruned"
        );
    }
}

#[async_trait]
impl Leader for Pruner {
    async fn lead(&mut self, shutdown: CancellationToken) {
        let mut poll = interval(POLL_INTERVAL);
        poll.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while shutdown.run_until_cancelled(poll.tick()).await.is_some() {
            if let Err(error) = self.run_once(&shutdown).await {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "failed to prune the event log; retrying");
            }
        }
    }
}
