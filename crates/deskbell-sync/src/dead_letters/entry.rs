//! One dead letter of a listing.

use clerk_webhooks::UnixMillis;

/// A selection of dead letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    All,
    /// Those of these entities or messages, by their ids.
    These(Vec<String>),
    /// Those that the database refused with this code, for this constraint or in this table, or with
    /// exactly this reason.
    Cause(String),
}

/// An event or a row that failed, with the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetterEntry {
    pub state: State,
    pub since: Option<UnixMillis>,
    pub destination: String,
    /// The source that the event came by.
    pub source: String,
    pub message_id: String,
    pub event_type: String,
    /// The mapped table or the statement; empty for the mirror.
    pub part: String,
    /// The entity that the event is about; empty where it is about none that is mirrored.
    pub entity: String,
    /// The entity's id; empty where it has none that a row could have.
    pub id: String,
    /// Why it was refused; `None` where it waits for other rows.
    pub reason: Option<String>,
    /// The database's code: a SQLSTATE, or SQLite's extended result code.
    pub cause: Option<String>,
    /// The constraint that it waits for or violates, where the database names it.
    pub constraint: Option<String>,
    /// The table that refused it, where the database names it.
    pub table: Option<String>,
}

/// The state of a refused row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It conflicts with other rows or locks, and is tried again until `conflict_patience` ends.
    Waiting,
    /// The row of a deleted entity cannot be removed; that is tried again without end.
    Stuck,
    /// Nothing, until somebody asks for it or a later version comes.
    Failed,
    /// Somebody has asked for it, and it has not been tried yet.
    Requested,
}
