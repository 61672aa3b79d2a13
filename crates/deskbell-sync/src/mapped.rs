//! The application's own tables and statements, filled from expressions of the config.
//!
//! A mapped table is as convergent as the mirror. What is known of each entity (its newest version,
//! the key that this version maps to, whether it is gone) is kept in `_versions`, and the rows of
//! the application's table follow from that alone. Of several entities that map to one key, the one
//! that was created last owns it.

mod apply;
mod evaluate;
mod execute;
mod fit;
mod keys;
mod literal;
mod lookups;
mod pass;
mod plan;
#[cfg(test)]
mod plans;
mod questions;
mod record;
mod records;
mod settle;
mod statement;
mod statement_pass;
mod swap;
mod table_sql;
mod wait;
mod ways;
mod writer;

use crate::batch::EventRef;
use crate::version::Version;
pub(crate) use apply::{Applied, MappedTarget};
pub use evaluate::absent_in_delete;
pub(crate) use evaluate::{Seen, evaluate_end, evaluate_row};
pub use fit::{MappedTableError, MappedTableProblem};
pub(crate) use records::Scope;
pub(crate) use statement::{StatementRun, StatementTarget, StatementWork};
pub(crate) use statement_pass::{StatementMarker, StatementPass};
pub(crate) use wait::Patience;

/// The newest version of an entity in a batch, as one mapped table sees it.
#[derive(Debug, PartialEq)]
pub(crate) struct MappedRow {
    pub(crate) id: String,
    pub(crate) version: Version,
    pub(crate) created_at_ms: i64,
    /// The ids of what the entity ends with, in the order of its declared parents.
    pub(crate) parents: [Option<String>; 2],
    /// As it stands in `_versions`; `None` where a part of it is null.
    pub(crate) key: Option<String>,
    /// The values of the columns, as they stand in `_versions`.
    pub(crate) values: String,
    pub(crate) event: EventRef,
}

/// The earliest delete of an entity in a batch, as one mapped table sees it.
#[derive(Debug, PartialEq)]
pub(crate) struct MappedEnd {
    pub(crate) id: String,
    pub(crate) occurred_at_ms: i64,
    pub(crate) message_id: String,
    pub(crate) created_at_ms: i64,
    pub(crate) key: Option<String>,
}

/// What a batch says about the entities of one mapped table.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct MappedChanges {
    pub(crate) rows: Vec<MappedRow>,
    pub(crate) ends: Vec<MappedEnd>,
}
