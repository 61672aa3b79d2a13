//! Retention of the log's database: one function in it is one short transaction, which takes locks on
//! the rows that it changes and on nothing that an append waits for. The functions are in
//! `migrations/0005_upkeep.sql` and `0008_erasure_in_its_source.sql`.

mod erase;
mod prune;

use async_trait::async_trait;

use super::PostgresStore;
use crate::retention::{
    DeletedUser, Erasable, EraseOptions, Erased, PruneOptions, Pruned, Retention,
};
use crate::{Seq, StoreError};

#[async_trait]
impl Retention for PostgresStore {
    async fn prune(&self, pruning: &PruneOptions) -> Result<Pruned, StoreError> {
        Ok(prune::prune(&self.pools, pruning, self.clock.manual_ms()).await?)
    }

    async fn erasable(&self, erasing: &EraseOptions) -> Result<Vec<Erasable>, StoreError> {
        let mut work = self.pools.transaction().await?;
        let outcome = erase::erasable(work.connection(), self.log_id, erasing).await;
        Ok(work.finish(outcome).await?)
    }

    async fn erase(
        &self,
        erasing: &EraseOptions,
        user: &DeletedUser,
    ) -> Result<Erased, StoreError> {
        let mut work = self.pools.transaction().await?;
        let (log, manual_ms) = (self.log_id, self.clock.manual_ms());
        let outcome = erase::erase(work.connection(), log, erasing, user, manual_ms).await;
        Ok(work.finish(outcome).await?)
    }

    async fn payloads_pruned_to(&self) -> Result<Seq, StoreError> {
        let pruned = sqlx::query_scalar("SELECT payloads_emptied_seq FROM deskbell.upkeep");
        Ok(Seq::new(pruned.fetch_one(&*self.pools).await?))
    }

    /// Nothing is to be done: the server's journal is its own, and it clears rows away that were
    /// changed or deleted by itself, some time later (`autovacuum`).
    async fn scrub(&self) -> Result<bool, StoreError> {
        Ok(true)
    }
}
