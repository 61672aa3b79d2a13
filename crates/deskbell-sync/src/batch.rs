//! A folded batch of events: what a target applies in one transaction.

use std::sync::Arc;

use deskbell_store::Seq;

use crate::entity::Entity;
use crate::value::Value;
use crate::version::Version;

/// The outcome of a batch of events. Whatever order, batches or repetitions the events came in,
/// applying what they fold to ends in the same tables.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Batch {
    /// The newest version of each entity, by table; in order of their ids.
    pub tables: Vec<TableRows>,
    /// The entities that are gone; in order, each once.
    pub tombstones: Vec<Tombstone>,
    /// The events that cannot be applied; in order, each once.
    pub dead_letters: Vec<DeadLetter>,
    /// The changes for each mapped table.
    pub(crate) mapped: Vec<MappedChanges>,
    pub(crate) statements: StatementRuns,
    pub counts: Counts,
}

impl Batch {
    /// What it says of mapped tables, the deletes alone; `None` where it has none.
    pub(crate) fn mapped_deletes(&self) -> Option<Self> {
        let has_ends = self.mapped.iter().any(|changes| !changes.ends.is_empty());
        if !has_ends && self.tombstones.is_empty() {
            return None;
        }
        let ends = |changes: &MappedChanges| MappedChanges {
            ends: changes.ends.clone(),
            ..MappedChanges::default()
        };
        let mapped = self.mapped.iter().map(ends).collect();
        Some(Self { mapped, tombstones: self.tombstones.clone(), ..Self::default() })
    }
}

impl From<Vec<DeadLetter>> for Batch {
    /// A batch of nothing else.
    fn from(dead_letters: Vec<DeadLetter>) -> Self {
        Self { dead_letters, ..Self::default() }
    }
}

/// New versions for one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableRows {
    /// The entity whose table it is.
    pub entity: &'static Entity,
    /// The rows, each id once.
    pub rows: Vec<Row>,
}

/// One version of one entity. `Debug` leaves its content out: it is personal data.
#[derive(Clone, PartialEq, Eq)]
pub struct Row {
    pub id: String,
    pub version: Version,
    /// The values of the mapping's columns, in their order, `id` first.
    pub values: Vec<Value>,
    /// Of an object from the API, the positions of the columns of which its JSON has no member: events
    /// alone have them, and what a row has there stays.
    pub absent: Vec<usize>,
    /// Of an object that was read because of an event, the version that the event has: its values are in
    /// those columns, and a dead letter names it.
    pub caused_by: Option<Box<Version>>,
    /// The entity's JSON, less what is excluded.
    pub raw: String,
    /// The rows of its child tables: a list for each of the entity's declared children, in order.
    pub children: Vec<Vec<ChildRow>>,
    /// The event that it comes from.
    pub event: EventRef,
}

/// An element of a list that has a table of its own. Its content is not in `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct ChildRow {
    /// The element's id, which none of its siblings has.
    pub id: String,
    /// The values of the child table's columns, in their order, `id` first.
    pub values: Vec<Value>,
    /// The element's JSON, less what is excluded.
    pub raw: String,
}

/// Which event a row comes from, as a dead letter names it. The message id is the version's.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct EventRef {
    pub source: Arc<str>,
    pub event_type: Arc<str>,
}

/// The record that an entity is gone; it can never come back.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tombstone {
    pub entity: &'static str,
    pub id: String,
    /// When the earliest delete happened, by the sender's clock.
    pub occurred_at_ms: i64,
    /// The earliest delete's message id.
    pub message_id: String,
    /// The earliest delete.
    pub event: EventRef,
}

/// An event that cannot be applied, and why.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DeadLetter {
    pub source: String,
    pub message_id: String,
    pub event_type: String,
    /// The mapped table or the statement that it failed in; empty for the mirror.
    pub part: String,
    /// The entity that it is about.
    pub entity: &'static str,
    /// The entity's id, where it has one that a row could have.
    pub id: Option<String>,
    /// The version that it would have been.
    pub version: Version,
    /// Why it cannot be applied. Never a part of the payload.
    pub reason: String,
}

/// The outcomes of a batch's events.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Versions and deletes of mirrored entities, superseded ones among them.
    pub applied: u64,
    /// Types that nothing here mirrors.
    pub not_mirrored: u64,
    /// Events of another Clerk instance, or of a source that this destination does not take.
    pub other_instance: u64,
    /// Events that cannot be applied.
    pub dead_lettered: u64,
    /// Events whose payload has left the log: what they said of mirrored entities is not known any
    /// more, but for deletes.
    pub pruned: u64,
}

impl std::fmt::Debug for Row {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Row")
            .field("id", &self.id)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for ChildRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ChildRow").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Longer reasons are cut: they are for people to read.
const REASON_CHARS_MAX: usize = 500;

/// A database's message about a row, as a dead letter keeps it.
pub(crate) fn shortened_reason(reason: &str) -> String {
    reason.chars().take(REASON_CHARS_MAX).collect()
}

/// The newest version of an entity in a batch, as one mapped table sees it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct MappedRow {
    pub(crate) id: String,
    pub(crate) version: Version,
    pub(crate) created_at_ms: i64,
    /// The ids of what the entity ends with, in the order of its declared parents.
    pub(crate) parents: [Option<String>; 2],
    /// As stored in `_versions`; `None` where a part of it is null.
    pub(crate) key: Option<String>,
    /// The values of the columns, as stored in `_versions`.
    pub(crate) values: String,
    /// Of an object that was read because of an event, the event's message id: a dead letter names it.
    pub(crate) caused_by: Option<String>,
    pub(crate) event: EventRef,
}

/// The earliest delete of an entity in a batch, as one mapped table sees it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct MappedDeletion {
    pub(crate) id: String,
    pub(crate) occurred_at_ms: i64,
    pub(crate) message_id: String,
    pub(crate) created_at_ms: i64,
    pub(crate) key: Option<String>,
}

/// A batch's changes to one mapped table.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct MappedChanges {
    pub(crate) rows: Vec<MappedRow>,
    pub(crate) ends: Vec<MappedDeletion>,
}

/// A statement that is to be run for one event.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct StatementRun {
    pub(crate) statement: usize,
    pub(crate) seq: Seq,
    pub(crate) source: Arc<str>,
    pub(crate) event_type: String,
    pub(crate) entity: &'static str,
    pub(crate) id: String,
    pub(crate) version: Version,
    /// The event says that the entity is gone.
    pub(crate) ends: bool,
    pub(crate) params: Vec<deskbell_expr::Value>,
}

/// A batch's runs of statements.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct StatementRuns {
    /// In the order of the log.
    pub(crate) runs: Vec<StatementRun>,
    /// The deletes, in the order of the log: seq, entity and id.
    pub(crate) ends: Vec<(Seq, &'static str, String)>,
}
