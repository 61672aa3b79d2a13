//! Deliveries in the log's file: what is pending in a table of its own, who has it in memory.
//!
//! Rows go to the database as one JSON text a statement, so that a statement has one form, and is
//! prepared once, however many rows it takes.

mod attempt_counts;
mod attempt_log;
mod claim;
mod dead_letter;
mod destinations;
mod pending;
mod query;
mod remove;
mod replay;
mod route;
mod settle;
mod targets;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::Notify;

pub(super) use dead_letter::{Pending, dead_letter_others};

use super::SqliteStore;
use super::json::json;
use crate::StoreError;
use crate::deliveries::{Claim, ClaimId, Claimed, DeliveryQueue, Rescheduled, Settlement};

#[async_trait]
impl DeliveryQueue for SqliteStore {
    async fn claim(&self, claim: &Claim) -> Result<Claimed, StoreError> {
        if !self.queues.is_open() {
            return Err(StoreError::Closed);
        }
        let queue = self.queues.of(&claim.destination);
        Ok(claim::claim(&self.readers, &queue, claim, &self.clock).await?)
    }

    async fn settle(
        &self,
        destination: &str,
        settlements: &[Settlement],
    ) -> Result<u64, StoreError> {
        let queue = self.queues.of(destination);
        let settling = queue.begin_settling(settlements);
        if settling.settlements.is_empty() {
            return Ok(settling.settled());
        }
        let mut connection = self.connection().await?;
        let now_ms = self.clock.now_ms();
        let known = settle::settle(&mut connection, destination, &settling, now_ms).await?;
        drop(connection);
        let removed = if known { 0 } else { settling.settlements.len() as u64 };
        Ok(removed + settling.settled())
    }

    async fn release(&self, destination: &str, claims: &[ClaimId]) -> Result<(), StoreError> {
        self.queues.of(destination).release(claims);
        Ok(())
    }

    async fn schedule_next_now(
        &self,
        destination: &str,
    ) -> Result<Option<Rescheduled>, StoreError> {
        let mut connection = self.connection().await?;
        let now_ms = self.clock.now_ms();
        let rescheduled = pending::schedule_next_now(&mut connection, destination, now_ms).await?;
        drop(connection);
        if rescheduled.is_some() {
            self.queues.of(destination).due.notify_one();
        }
        Ok(rescheduled)
    }

    fn due(&self, destination: &str) -> Arc<Notify> {
        Arc::clone(&self.queues.of(destination).due)
    }
}
