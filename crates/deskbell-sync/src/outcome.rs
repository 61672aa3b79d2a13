//! The outcome of an event in a mirror: the event is folded alone, as the consumer folds it, and
//! the result is compared with the mirror's bookkeeping.

mod application;
mod bookkeeping;
mod rows;

use std::sync::Arc;
use std::time::Duration;

use clerk_webhooks::UnixMillis;
use deskbell_store::{LogId, Outcome, OutcomeKind, Seq, SourceInstances, StoreError, StoredEvent};
use tokio::time::timeout;

use crate::batch::Batch;
use crate::db::DatabaseError;
use crate::entity;
use crate::fold::Fold;
use crate::mapping::Mappings;
use crate::mirror_target::{Blocked, ConnectError, PartKind};
use crate::options::MirrorOptions;
use bookkeeping::{Bookkeeping, NOT_BEGUN, StoredDeadLetter, away};

/// How long the mirror's database may take for one event; one that takes longer counts as away.
const READ_TIMEOUT: Duration = Duration::from_secs(10);

/// Why no more is known of an event.
const PRUNED: &str = "its payload was pruned from the log";

/// The outcome of an event in one mirror.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MirrorOutcome {
    /// The outcome over all parts.
    pub outcome: Outcome,
    /// The outcome in each table and each statement that takes it.
    pub parts: Vec<PartOutcome>,
}

/// The outcome of an event in a part of a mirror.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartOutcome {
    /// The mirror's table, the mapped table, or the statement.
    pub part: String,
    pub outcome: Outcome,
}

/// Reads the outcomes of events in one mirror, in one snapshot, also while a consumer fills it.
#[derive(Debug)]
pub struct OutcomeReader {
    options: MirrorOptions,
    mappings: Arc<Mappings>,
    fold: Fold,
    log_id: LogId,
    /// Why it cannot be read, where it cannot.
    bookkeeping: Result<Bookkeeping, String>,
}

impl OutcomeReader {
    /// Opens the mirror of this log. Where its database is away, what depends on it is pending.
    ///
    /// # Errors
    /// The options make no sense.
    pub async fn open(options: &MirrorOptions, log_id: LogId) -> Result<Self, ConnectError> {
        let mappings = Arc::new(Mappings::for_config(&options.database)?);
        let opening = timeout(READ_TIMEOUT, Bookkeeping::open(options, &mappings));
        let bookkeeping = match opening.await {
            Ok(Ok(opened)) => opened,
            Ok(Err(error)) => return Err(error),
            Err(_) => Err(silent()),
        };
        Ok(Self {
            fold: Fold::new(Arc::clone(&mappings), options.sources.clone()),
            options: options.clone(),
            mappings,
            log_id,
            bookkeeping,
        })
    }

    /// Reads what the store knows of the sources' Clerk instances.
    ///
    /// # Errors
    /// The store could not be read.
    pub async fn load_instances(&mut self, store: &dyn SourceInstances) -> Result<(), StoreError> {
        self.fold.instances().load(store).await
    }

    /// The outcome of this event. `earlier`: earlier events about the same subject, as far as they
    /// are known. They show whether statements skipped it as stale.
    pub async fn outcome(&mut self, event: &StoredEvent, earlier: &[StoredEvent]) -> MirrorOutcome {
        let batch = self.fold.fold(std::slice::from_ref(event));
        if batch.counts.other_instance > 0 {
            return self.not_accepted(event).into();
        }
        let judge = Judge {
            options: &self.options,
            mappings: &self.mappings,
            fold: &self.fold,
            event,
            earlier,
            batch: &batch,
        };
        if let Some(outcome) = judge.takes_nothing() {
            return outcome.into();
        }
        let bookkeeping = match &mut self.bookkeeping {
            Ok(bookkeeping) => bookkeeping,
            Err(why) => return pending(why.as_str()).into(),
        };
        let why = match timeout(READ_TIMEOUT, judge.judge(bookkeeping, self.log_id)).await {
            Ok(Ok(outcome)) => return outcome,
            Ok(Err(error)) => away(error),
            Err(_) => silent(),
        };
        let outcome = pending(why.as_str()).into();
        self.bookkeeping = Err(why);
        outcome
    }

    pub async fn close(self) {
        if let Ok(bookkeeping) = self.bookkeeping {
            // The database gives the connection up by itself where it does not hear of it.
            let _ = timeout(READ_TIMEOUT, bookkeeping.close()).await;
        }
    }

    fn not_accepted(&self, event: &StoredEvent) -> Outcome {
        let source = &event.source;
        let ours = self.fold.instances().expected(source);
        match (ours, event.instance_id.as_deref()) {
            (Some(ours), Some(theirs)) => Outcome::new(
                OutcomeKind::OtherInstance,
                format!(
                    "it belongs to instance {theirs}; the mirror takes instance {ours} from \
                     source {source}"
                ),
            ),
            (Some(ours), None) => Outcome::new(
                OutcomeKind::OtherInstance,
                format!(
                    "source {source} belongs to another instance than the mirror, which has {ours}"
                ),
            ),
            _ => Outcome::new(
                OutcomeKind::Filtered,
                format!("the destination takes no events of source {source}"),
            ),
        }
    }
}

fn silent() -> String {
    format!("the database is unavailable: no answer within {} s", READ_TIMEOUT.as_secs())
}

fn pending(why: impl Into<String>) -> Outcome {
    Outcome::new(OutcomeKind::Pending, why)
}

impl From<Outcome> for MirrorOutcome {
    fn from(outcome: Outcome) -> Self {
        Self { outcome, parts: Vec::new() }
    }
}

impl From<Vec<PartOutcome>> for MirrorOutcome {
    /// The outcome that asks for most attention speaks for all; it says in which part it is.
    fn from(parts: Vec<PartOutcome>) -> Self {
        let worst = parts.iter().rev().max_by_key(|part| part.outcome.kind);
        let mut outcome =
            worst.map_or(OutcomeKind::NotMirrored.into(), |part| part.outcome.clone());
        if let (true, Some(part), Some(reason)) = (parts.len() > 1, worst, &mut outcome.reason) {
            *reason = format!("{}: {reason}", part.part);
        }
        Self { outcome, parts }
    }
}

/// One event, and what it comes to.
struct Judge<'a> {
    options: &'a MirrorOptions,
    mappings: &'a Mappings,
    fold: &'a Fold,
    event: &'a StoredEvent,
    earlier: &'a [StoredEvent],
    batch: &'a Batch,
}

/// The mirror's bookkeeping of one event.
struct EventRecords {
    dead_letters: Vec<StoredDeadLetter>,
    blocked: Vec<Blocked>,
    /// The last event that statements have run for; `None` where they are held back.
    statements: Option<Seq>,
}

impl Judge<'_> {
    /// The outcome where no table and no statement takes events like this one.
    fn takes_nothing(&self) -> Option<Outcome> {
        let Batch { tables, tombstones, dead_letters, mapped, counts, .. } = self.batch;
        let takes = !tables.is_empty()
            || !dead_letters.is_empty()
            || counts.pruned > 0
            || tombstones.iter().any(|gone| self.mirrors(gone.entity))
            || mapped.iter().any(|changes| !changes.rows.is_empty() || !changes.ends.is_empty())
            || self.statements().next().is_some();
        (!takes).then(|| Outcome::new(OutcomeKind::NotMirrored, self.why_not_mirrored()))
    }

    fn why_not_mirrored(&self) -> String {
        if !self.event.origin.is_message() {
            return "it was made for chosen destinations, and the mirror has its object".to_owned();
        }
        let event_type = &self.event.event_type;
        match entity::change(event_type) {
            None => format!("nothing is mirrored from {event_type}"),
            Some((entity, _)) if !self.options.database.mirror => {
                format!("`mirror` is false, and no table or statement takes {}", entity.name)
            }
            Some((entity, _)) => format!("`entities` does not include {}", entity.name),
        }
    }

    fn mirrors(&self, entity: &str) -> bool {
        self.mappings.iter().any(|mapping| mapping.entity.name == entity)
    }

    async fn judge(
        &self,
        bookkeeping: &mut Bookkeeping,
        log_id: LogId,
    ) -> Result<MirrorOutcome, DatabaseError> {
        let (destination, seq) = (&*self.options.destination, self.event.seq);
        let Some(position) = bookkeeping.position(destination, log_id).await? else {
            return Ok(pending(NOT_BEGUN).into());
        };
        if seq > position.seq {
            let at = position.seq;
            return Ok(pending(format!("the mirror is at event {at} of the log")).into());
        }
        let event = (&*self.event.source, &*crate::json::without_nul(&self.event.message_id));
        let records = EventRecords {
            dead_letters: bookkeeping.dead_letters(destination, event).await?,
            blocked: bookkeeping.blocked(destination).await?,
            statements: position.statements,
        };
        let mut parts = self.rows(bookkeeping, &records).await?;
        parts.extend(self.mapped_tables(bookkeeping, &records).await?);
        parts.extend(self.run_statements(bookkeeping, &records).await?);
        if parts.is_empty() {
            return Ok(Outcome::new(OutcomeKind::NotMirrored, PRUNED).into());
        }
        Ok(parts.into())
    }
}

impl EventRecords {
    /// The reason in a dead letter of this part, or that the part is blocked. The part is given by
    /// its kind, its name and its title.
    fn refused(
        &self,
        (kind, name, title): (PartKind, &str, &str),
        seq: Seq,
        of: &dyn Fn(&StoredDeadLetter) -> bool,
    ) -> Option<Outcome> {
        if let Some(letter) = self.dead_letters.iter().find(|letter| of(letter)) {
            return Some(letter.outcome());
        }
        let blocked = self.blocked.iter().find(|blocked| blocked.part.is(kind, name));
        let blocked = blocked.filter(|blocked| seq > blocked.seq)?;
        let why = format!("blocked: {title}: {}", blocked.reason);
        let since_ms = blocked.since.map(UnixMillis::as_millis);
        Some(Outcome::new(OutcomeKind::Waiting, why).at(since_ms))
    }
}
