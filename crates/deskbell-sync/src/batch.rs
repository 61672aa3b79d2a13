//! What a batch of events comes down to: what a target applies in one transaction.

use crate::entity::Entity;
use crate::value::Value;
use crate::version::Version;

/// The outcome of a batch of events. Whatever order, batches or repetitions the events came in,
/// applying what they fold to ends in the same tables.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// The newest version of each entity, by table; in order of their ids.
    pub tables: Vec<TableRows>,
    /// The entities that are gone; in order, each once.
    pub tombstones: Vec<Tombstone>,
    /// The events that cannot be applied; in order, each once.
    pub dead_letters: Vec<DeadLetter>,
    /// What became of the events.
    pub counts: Counts,
}

/// New versions for one table.
#[derive(Debug, PartialEq, Eq)]
pub struct TableRows {
    /// The entity whose table it is.
    pub entity: &'static Entity,
    /// The rows, each id once.
    pub rows: Vec<Row>,
}

/// One version of one entity. Its content is not in `Debug`: it bears people's data.
#[derive(PartialEq, Eq)]
pub struct Row {
    /// The entity's id.
    pub id: String,
    /// Which version this is.
    pub version: Version,
    /// The values of the mapping's columns, in their order, `id` first.
    pub values: Vec<Value>,
    /// The entity's JSON, less what is excluded.
    pub raw: String,
}

/// The record that an entity is gone; it can never come back.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tombstone {
    /// The entity's name.
    pub entity: &'static str,
    /// The entity's id.
    pub id: String,
    /// When the earliest delete happened, by the sender's clock.
    pub occurred_at_ms: i64,
    /// The earliest delete's message id.
    pub message_id: String,
}

/// An event that cannot be applied, and why.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DeadLetter {
    /// The source that it came by.
    pub source: String,
    /// Its message id.
    pub message_id: String,
    /// Its type.
    pub event_type: String,
    /// The entity that it is about.
    pub entity: &'static str,
    /// The entity's id, where it has one that a row could have.
    pub id: Option<String>,
    /// The version that it would have been.
    pub version: Version,
    /// Why it cannot be applied. Never a part of the payload.
    pub reason: String,
}

/// What became of a batch's events.
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
}

impl std::fmt::Debug for Row {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Row")
            .field("id", &self.id)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}
