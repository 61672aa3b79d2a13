//! A batch applied to a mapped table: load what is known, take in what is new, plan, do.

use super::bound_table::BoundTable;
use super::pass::Pass;
use super::wait::ConflictTimeout;
use crate::batch::{Batch, DeadLetter, MappedChanges};
use crate::db::{DatabaseError, DbSession, Refusal};

/// The result of applying a batch to a mapped table.
#[derive(Debug, Default)]
pub(crate) struct Applied {
    pub(crate) rows_written: u64,
    pub(crate) rows_removed: u64,
    /// Dead letters, with their refusals.
    pub(crate) dead_letters: Vec<(DeadLetter, Refusal)>,
    /// Removals that are refused: never given up, but stuck.
    pub(crate) refused_removals: Vec<(DeadLetter, Refusal)>,
    /// The refusals, in order; without rows that were not tried.
    pub(crate) refusals: Vec<Refusal>,
    /// What is resolved: the mapped table, the entity, and the ids whose dead letters are deleted.
    pub(crate) resolved: Vec<(String, &'static str, Vec<String>)>,
}

impl BoundTable {
    /// Applies the batch's share of the mapped table with this index, all of it also where it is
    /// known already if `again` says so. The batch's tombstones are there already.
    pub(crate) async fn apply(
        &self,
        session: &mut dyn DbSession,
        batch: &Batch,
        index: usize,
        timeout: ConflictTimeout,
        again: bool,
    ) -> Result<Applied, DatabaseError> {
        let none = MappedChanges::default();
        let changes = batch.mapped.get(index).unwrap_or(&none);
        let mut pass = Pass::new(self, session);
        pass.take_in(changes, again).await?;
        pass.touch_orphans(&batch.tombstones).await?;
        pass.take_what_is_due(changes.rows.len()).await?;
        if pass.has_nothing_to_do() {
            return Ok(Applied::default());
        }
        pass.run().await?;
        pass.settle(timeout).await
    }
}
