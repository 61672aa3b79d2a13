//! Rebuilding a mirror from the log: beside the live tables first, then into them in one
//! transaction, so that readers never see an empty table and grants, views and indexes stay.

use deskbell_store::{BackendError, ConsumerLog, ReadLimit, Seq, StoreError};

use crate::checkpoint::Checkpoint;
use crate::config::DatabaseConfig;
use crate::db::Dialect;
use crate::dead_letters::{self, Choice, DeadLetterEntry};
use crate::fold::Fold;
use crate::inspect::InspectError;
use crate::migration;
use crate::mirror::{Merge, MergeError, Mirror};
use crate::mirror_target::{ConnectError, ErrorMode, Target, TargetError, check_schema_name};
use crate::options::MirrorOptions;

/// The suffix of the schema in which a mirror is rebuilt.
const SHADOW: &str = "_new";

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rebuilt {
    /// The events that were read.
    pub events: u64,
    /// The rows that were missing or other than they should be.
    pub rows_written: u64,
    /// The rows that should not have been there. None is removed where payloads were pruned.
    pub rows_removed: u64,
    /// The events that were skipped, as their payload was pruned: what they said of mirrored
    /// entities stays as it is in the live tables.
    pub payloads_pruned: u64,
    /// The rows that the database still refuses: those of the mirror and of mapped tables, by their
    /// dead letters and what waits.
    pub refused: Vec<DeadLetterEntry>,
}

/// The progress of a rebuild.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The last event that was read.
    pub seq: Seq,
    /// The last event that there is to read.
    pub head: Seq,
}

/// A mirror that could not be rebuilt. The live tables are as they were.
#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    /// Events were pruned from the log, or it is not the one that filled the mirror.
    #[error("the log does not reach back to the first event of this mirror: {reason}")]
    LogTooShort { reason: String },
    /// Another destination has rows in the same tables.
    #[error("destination {other:?} fills the same tables, and its rows are not in this log")]
    Shared { other: String },
    /// The mirror has never been filled.
    #[error("the destination has no mirror yet; there is nothing to rebuild")]
    NotStarted,
    /// The schema to build into is not empty.
    #[error("the schema {schema:?} already exists; choose a new one")]
    InUse { schema: String },
    #[error("cannot read the event log")]
    Store(#[from] StoreError),
    #[error("cannot use the mirror's database")]
    Connect(#[from] ConnectError),
    /// The database failed, or refused what the log says.
    #[error("the mirror's database failed")]
    Target(#[from] TargetError),
    /// What the database still refuses could not be read.
    #[error("cannot read the dead letters")]
    Letters(#[from] InspectError),
}

impl From<MergeError> for RebuildError {
    fn from(error: MergeError) -> Self {
        match error {
            MergeError::NotStarted => Self::NotStarted,
            MergeError::Store(error) => Self::Store(error),
            MergeError::Target(error) => Self::Target(error),
        }
    }
}

/// Rebuilds the live tables of this destination from the log.
///
/// # Errors
/// [`RebuildError`]; the live tables are as they were.
pub async fn rebuild(
    store: &dyn ConsumerLog,
    options: &MirrorOptions,
    mut progress: impl FnMut(Progress),
) -> Result<Rebuilt, RebuildError> {
    let live = Mirror::open(options).await?;
    let live_checkpoint = reaches_back(store, &live, &options.destination).await?;
    let mut shadow_options = beside(options, format!("{}{SHADOW}", options.database.schema));
    shadow_options.database.include_columns = live.include_columns().to_vec();
    Mirror::remove(&shadow_options).await?;
    let shadow = Mirror::open(&shadow_options).await?;
    let mut replay = Replay::begin(store, &shadow, &shadow_options).await?;
    replay.until(live_checkpoint.seq, i64::MAX, &mut progress).await?;
    let Replay { fold, position, events, payloads_pruned, .. } = replay;
    shadow.close().await;
    let whole = Fold::new(live.mappings(), options.sources.clone());
    whole.instances().load(store).await?;
    let from = position.seq;
    let merge = Merge { store, shadow: &shadow, fold: &fold, whole: &whole, from, payloads_pruned };
    let merged = live.merge(merge, &options.destination).await?;
    let mappings = live.mappings();
    let statements: Vec<_> = mappings.statements().iter().map(|one| one.name.clone()).collect();
    live.close().await;
    Mirror::remove(&shadow_options).await?;
    let mut refused = dead_letters::list(options, &Choice::All).await?;
    let is_statement = |letter: &DeadLetterEntry| statements.contains(&letter.part);
    refused.retain(|letter| !is_statement(letter));
    Ok(Rebuilt {
        events: events + merged.events,
        rows_written: merged.rows_written,
        rows_removed: merged.rows_removed,
        payloads_pruned: merged.payloads_pruned,
        refused,
    })
}

/// Builds the mirror as it was at a time, by the events' own clock, in a schema of its own.
///
/// # Errors
/// [`RebuildError`]; the live tables are not touched at all.
pub async fn as_of(
    store: &dyn ConsumerLog,
    options: &MirrorOptions,
    until_ms: i64,
    into: &str,
    mut progress: impl FnMut(Progress),
) -> Result<Rebuilt, RebuildError> {
    check_schema_name(into)?;
    let in_use = || RebuildError::InUse { schema: into.to_owned() };
    let apart = beside(options, into.to_owned());
    let everything = migration::from_nothing(Dialect::of(&apart.database.url), &apart.database)?;
    let missing = migration::missing(&apart.database).await?;
    let schema_is_there = everything.len() - missing.len() == 1 && missing.len() > 1;
    if into == options.database.schema || missing.len() < everything.len() && !schema_is_there {
        return Err(in_use());
    }
    begins_with_the_first(store).await?;
    let target = Mirror::open(&apart).await?;
    let mut replay = Replay::begin(store, &target, &apart).await?;
    let head = store.head().await?;
    replay.until(head, until_ms, &mut progress).await?;
    let Replay { events, rows_written, payloads_pruned, .. } = replay;
    target.close().await;
    Ok(Rebuilt { events, rows_written, payloads_pruned, ..Rebuilt::default() })
}

/// The same mirror in another schema, without the application's tables.
fn beside(options: &MirrorOptions, schema: String) -> MirrorOptions {
    let database = DatabaseConfig {
        schema,
        tables: Vec::new(),
        statements: Vec::new(),
        auto_migrate: true,
        ..options.database.clone()
    };
    MirrorOptions { database, ..options.clone() }
}

/// The live mirror's checkpoint, if the log has everything that the mirror was filled from.
async fn reaches_back(
    store: &dyn ConsumerLog,
    live: &Mirror,
    destination: &str,
) -> Result<Checkpoint, RebuildError> {
    let every = live.every_checkpoint().await?;
    if let Some(other) = every.iter().find(|other| other.destination != destination) {
        return Err(RebuildError::Shared { other: other.destination.clone() });
    }
    let log_id = store.log_id();
    if let Some(other) = every.iter().find(|other| other.log_id != log_id) {
        let reason = format!("the mirror was filled from the log {} too", other.log_id);
        return Err(RebuildError::LogTooShort { reason });
    }
    let live_checkpoint = every.into_iter().next().ok_or(RebuildError::NotStarted)?;
    begins_with_the_first(store).await?;
    Ok(live_checkpoint)
}

async fn begins_with_the_first(store: &dyn ConsumerLog) -> Result<(), RebuildError> {
    let one = ReadLimit { events_max: 1, ..ReadLimit::default() };
    let first = store.read(Seq::ZERO, one).await?;
    let first = first.first().map_or(store.head().await?.next(), |event| event.seq);
    if first == Seq::ZERO.next() {
        return Ok(());
    }
    let reason = format!("its first event is number {first}");
    Err(RebuildError::LogTooShort { reason })
}

/// The log on its way into another mirror.
struct Replay<'a> {
    store: &'a dyn ConsumerLog,
    target: &'a Mirror,
    fold: Fold,
    position: Checkpoint,
    limit: ReadLimit,
    events: u64,
    rows_written: u64,
    payloads_pruned: u64,
}

impl<'a> Replay<'a> {
    async fn begin(
        store: &'a dyn ConsumerLog,
        target: &'a Mirror,
        options: &MirrorOptions,
    ) -> Result<Self, RebuildError> {
        // Revision 0 is no mapping's: whoever follows a log from here on reads it from its
        // beginning.
        let position = Checkpoint::start(store.log_id(), &options.destination, 0);
        target.take_over(None, &position).await?;
        let fold = Fold::new(target.mappings(), options.sources.clone());
        fold.instances().load(store).await?;
        let limit = options.batch;
        Ok(Self {
            store,
            target,
            fold,
            position,
            limit,
            events: 0,
            rows_written: 0,
            payloads_pruned: 0,
        })
    }

    /// Applies the events up to `head` that happened by `until_ms`.
    async fn until(
        &mut self,
        head: Seq,
        until_ms: i64,
        progress: &mut impl FnMut(Progress),
    ) -> Result<(), RebuildError> {
        while self.position.seq < head {
            let mut events = self.store.read(self.position.seq, self.limit).await?;
            events.retain(|event| event.seq <= head);
            let Some(last) = events.last() else { break };
            let next = self.position.advanced(last.seq, &last.message_id);
            events.retain(|event| event.occurred_at_ms <= until_ms);
            self.events += u64::try_from(events.len()).unwrap_or(u64::MAX);
            let batch = self.fold.fold(&events);
            self.payloads_pruned += batch.counts.pruned;
            let commit =
                self.target.apply(&batch, &self.position, &next, ErrorMode::Isolate).await?;
            let crate::mirror_target::Commit::Done { rows_written, .. } = commit else {
                let error = std::io::Error::other("another rebuild is running");
                return Err(TargetError::Unavailable(BackendError::new(error)).into());
            };
            self.rows_written += rows_written;
            self.position = next;
            progress(Progress { seq: self.position.seq, head });
        }
        Ok(())
    }
}
