//! The statements of the mirror, written once for every database.
//!
//! Their texts do not depend on how many rows or ids they are given, so that they stay prepared:
//! lists of ids are one parameter, and rows come in bulk.

mod blocked;
mod bookkeeping;
mod dead_letters;
mod elements;
mod merge;
mod mirrored;
mod names;
#[cfg(test)]
mod plans;
mod stored;
mod upsert;

use crate::db::{Bulk, Dialect, Sql};
use crate::mapping::Mappings;
pub(crate) use blocked::BlockedStatements;
pub(crate) use bookkeeping::{HELD, LEFT_AS_IS, select_checkpoints};
pub(crate) use dead_letters::REQUESTS_MAX;
pub(crate) use merge::{MergeStatements, Schemas};
pub(crate) use mirrored::TableStatements;
use names::SqlNames;
pub(crate) use stored::StoredRows;

/// Every statement that a mirror of these entities needs.
#[derive(Debug)]
pub(crate) struct Statements {
    /// Parameter: the destination.
    pub(crate) checkpoints: Sql,
    pub(crate) swap_checkpoint: Sql,
    pub(crate) insert_checkpoint: Sql,
    /// Parameters: the destination, and `beginning` or `now`.
    pub(crate) release_statements: Sql,
    /// Rows of entity, id, occurred_at, message id.
    pub(crate) insert_tombstones: Bulk,
    pub(crate) dead_letter: Bulk,
    /// Parameters: the ids, the part, the entity and the destination.
    pub(crate) resolve_part: Sql,
    /// Parameter: the destination.
    pub(crate) requests: Sql,
    /// Parameter: the destination.
    pub(crate) refused_deletes: Sql,
    /// Parameters: destination, source, message id and part.
    pub(crate) earlier_tries: Sql,
    /// Parameter: the destination.
    pub(crate) count_dead_letters: Sql,
    pub(crate) blocked: BlockedStatements,
    /// Parameters: the ids and the entity. Those that have a tombstone.
    pub(crate) gone: Sql,
    /// Parameters: seq, and then the expected destination, log, seq and token.
    pub(crate) mark_statements: Sql,
    /// Parameters: the names of mapped tables, and the destination.
    pub(crate) any_due: Sql,
    /// Parameters: the names of mapped tables, and the destination.
    pub(crate) count_waiting: Sql,
    /// Parameters: destination, source, message id and part.
    pub(crate) begin_retry: Sql,
    /// Parameters: destination, source, message id and part.
    pub(crate) end_retry: Sql,
    /// Parameters: destination, entity and id.
    pub(crate) begin_delete_retry: Sql,
    /// Parameters: destination, entity and id.
    pub(crate) end_delete_retry: Sql,
    /// Parameters: destination, source, message id, part, and why.
    pub(crate) keep_lost: Sql,
    /// Parameters: destination, source, message id and part.
    pub(crate) wait_again: Sql,
    /// Parameters: ids, their entity, and the destination.
    pub(crate) waiting_statements: Sql,
    /// Parameter: the destination.
    pub(crate) first_waiting_statement: Sql,
    pub(crate) tables: Vec<TableStatements>,
}

impl Statements {
    pub(crate) fn new(
        dialect: Dialect,
        schema: &str,
        destination: &str,
        mappings: &Mappings,
    ) -> Self {
        let on_delete = mappings.on_delete();
        let names = SqlNames { dialect, schema, destination, on_delete };
        Self {
            checkpoints: select_checkpoints(dialect, schema).into(),
            swap_checkpoint: names.swap_checkpoint(),
            insert_checkpoint: names.insert_checkpoint(),
            release_statements: names.release_statements(),
            insert_tombstones: names.insert_tombstones(),
            dead_letter: names.dead_letter(),
            resolve_part: names.resolve_part(),
            requests: names.requests(),
            refused_deletes: names.refused_deletes(),
            earlier_tries: names.earlier_tries(),
            count_dead_letters: names.count_dead_letters(),
            blocked: names.blocked_statements(),
            gone: names.gone(),
            mark_statements: names.mark_statements(),
            any_due: names.any_due(),
            count_waiting: names.count_waiting(),
            begin_retry: names.begin_retry(),
            end_retry: names.end_retry(),
            begin_delete_retry: names.begin_delete_retry(),
            end_delete_retry: names.end_delete_retry(),
            keep_lost: names.keep_lost(),
            wait_again: names.wait_again(),
            waiting_statements: names.waiting_statements(),
            first_waiting_statement: names.first_waiting_statement(),
            tables: mappings.iter().map(|mapping| names.table_statements(mapping)).collect(),
        }
    }
}
