//! Retention of the log's file: small transactions on the writing connection, so that an append that
//! waits behind one waits for milliseconds.

mod blockers;
mod erase;
mod prune;
#[cfg(test)]
mod tests;

use async_trait::async_trait;

use super::{SqliteStore, event_log};
use crate::clock::whole_ms;
use crate::retention::{
    DeletedUser, Erasable, EraseOptions, Erased, PruneOptions, Pruned, Retention,
};
use crate::{Seq, StoreError};
use prune::Cutoffs;

#[async_trait]
impl Retention for SqliteStore {
    async fn prune(&self, pruning: &PruneOptions) -> Result<Pruned, StoreError> {
        let now_ms = self.clock.now_ms();
        let before = |age| now_ms.saturating_sub(whole_ms(age));
        // Looked for beside the writer: what is too old now stays so.
        let payloads =
            event_log::first_received_since(&self.readers, before(pruning.payloads)).await?;
        let events = event_log::first_received_since(&self.readers, before(pruning.events)).await?;
        let cutoffs = Cutoffs {
            payloads: payloads.get() - 1,
            events: (events.get() - 1).min(payloads.get() - 1),
            attempts_ms: before(pruning.attempts),
            commands_ms: before(pruning.commands),
            one_time_codes_ms: before(pruning.one_time_codes),
            now_ms,
        };
        let mut connection = self.connection().await?;
        Ok(prune::prune(&mut connection, pruning, &cutoffs).await?)
    }

    async fn erasable(&self, erasing: &EraseOptions) -> Result<Vec<Erasable>, StoreError> {
        Ok(erase::erasable(&self.readers, self.log_id, erasing).await?)
    }

    async fn erase(
        &self,
        erasing: &EraseOptions,
        user: &DeletedUser,
    ) -> Result<Erased, StoreError> {
        let mut connection = self.connection().await?;
        let now_ms = self.clock.now_ms();
        Ok(erase::erase(&mut connection, self.log_id, erasing, user, now_ms).await?)
    }

    async fn payloads_pruned_to(&self) -> Result<Seq, StoreError> {
        let pruned = sqlx::query_scalar("SELECT payloads_emptied_seq FROM upkeep");
        Ok(Seq::new(pruned.fetch_one(&self.readers).await?))
    }

    async fn scrub(&self) -> Result<bool, StoreError> {
        let mut connection = self.connection().await?;
        Ok(erase::scrub(&mut connection).await?)
    }
}
