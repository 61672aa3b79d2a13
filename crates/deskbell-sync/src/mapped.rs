//! The application's own tables and statements, filled from expressions of the config.
//!
//! A mapped table is as convergent as the mirror. What is known of each entity (its newest version,
//! the key that this version maps to, whether it is gone) is kept in `_versions`, and the rows of
//! the application's table follow from that alone. Of several entities that map to one key, the one
//! that was created last owns it.

mod apply;
mod bind_lookup;
mod bound_table;
mod execute;
mod fit;
mod insert_column;
mod keys;
mod literal;
mod lookups;
mod obstacles;
mod pass;
mod plan;
#[cfg(test)]
mod plans;
mod prepared_statement;
mod questions;
mod record;
mod records;
mod settle;
mod statement_pass;
mod statement_queue;
mod swap;
mod table_sql;
mod texts;
mod wait;
mod writer;

pub(crate) use apply::Applied;
pub(crate) use bound_table::BoundTable;
pub use fit::{MappedTableError, MappedTableProblem};
pub(crate) use prepared_statement::{PreparedStatement, present};
pub(crate) use records::RecordScope;
pub(crate) use statement_pass::{Postponed, StatementMarker, StatementOutcome, StatementPass};
pub(crate) use wait::{ConflictTimeout, later, pause};
