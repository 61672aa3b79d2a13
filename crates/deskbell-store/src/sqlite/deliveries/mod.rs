//! Deliveries in the log's file: what is pending in a table of its own, who has it in memory.
//!
//! Rows go to the database as one JSON text a statement, so that a statement has one form, and is
//! prepared once, however many rows it takes.

mod claim;
mod dead_letter;
mod destinations;
mod pending;
mod query;
mod replay;
mod route;
mod settle;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::Notify;

pub(super) use dead_letter::{Pending, dead_letter_others};

use super::json::json;
use super::{SqliteStore, read};
use crate::deliveries::{
    Backlog, Claim, ClaimId, Claimed, DeadLetter, DeadLetterQuery, DeliveryKey, DeliveryQueries,
    DeliveryQueue, DeliverySummary, DestinationHealth, DestinationState, Destinations, FilteredOut,
    NewDelivery, Registration, Replays, Rescheduled, Revived, Routed, RoutedBatch, Routing,
    Settlement,
};
use crate::{FencingToken, ReplayRequest, Seq, StoreError};

#[async_trait]
impl Destinations for SqliteStore {
    async fn register(&self, destination: &Registration) -> Result<DestinationState, StoreError> {
        let mut connection = self.connection().await?;
        let state = destinations::register(&mut connection, destination).await?;
        drop(connection);
        self.queues.of(&destination.name).due.notify_one();
        Ok(state)
    }

    async fn destinations(&self) -> Result<Vec<DestinationState>, StoreError> {
        Ok(destinations::all(&self.readers).await?)
    }

    async fn set_health(
        &self,
        destination: &str,
        health: &DestinationHealth,
    ) -> Result<(), StoreError> {
        let mut connection = self.connection().await?;
        Ok(destinations::set_health(&mut connection, destination, health).await?)
    }

    async fn change_health(
        &self,
        destination: &str,
        from: &DestinationHealth,
        to: &DestinationHealth,
    ) -> Result<bool, StoreError> {
        let mut connection = self.connection().await?;
        Ok(destinations::change_health(&mut connection, destination, from, to).await?)
    }

    async fn add_dead_letters(&self, destination: &str, count: u32) -> Result<(), StoreError> {
        let mut connection = self.connection().await?;
        Ok(destinations::add_dead_letters(&mut connection, destination, count).await?)
    }

    async fn now_ms(&self) -> Result<i64, StoreError> {
        Ok(self.clock.now_ms())
    }
}

#[async_trait]
impl Routing for SqliteStore {
    async fn route(&self, batch: &RoutedBatch) -> Result<Routed, StoreError> {
        let mut connection = self.connection().await?;
        let routed = route::route(&mut connection, batch, self.clock.now_ms()).await?;
        drop(connection);
        if routed == Routed::Done {
            self.queues.wake(batch.deliveries.iter().map(|delivery| &*delivery.key.destination));
        }
        Ok(routed)
    }

    async fn revive_requested(
        &self,
        token: FencingToken,
        requests_max: u32,
    ) -> Result<Revived, StoreError> {
        let mut connection = self.connection().await?;
        let now_ms = self.clock.now_ms();
        let acted = replay::act(&mut connection, token, requests_max, now_ms).await?;
        drop(connection);
        let Some(acted) = acted else { return Ok(Revived::Superseded) };
        self.queues.wake(acted.destinations.iter().map(String::as_str));
        Ok(Revived::Done { requests: acted.requests, deliveries: acted.deliveries })
    }

    async fn replay_requests(
        &self,
        after: i64,
        requests_max: u32,
    ) -> Result<Vec<ReplayRequest>, StoreError> {
        Ok(read::replay_requests(&self.readers, after, requests_max).await?)
    }

    async fn pending(&self, pending_max: u32) -> Result<Vec<(Arc<str>, u64)>, StoreError> {
        Ok(query::pending(&self.readers, pending_max).await?)
    }
}

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
        settle::settle(&mut connection, destination, &settling, self.clock.now_ms()).await?;
        drop(connection);
        Ok(settling.settled())
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

#[async_trait]
impl DeliveryQueries for SqliteStore {
    async fn backlogs(&self) -> Result<Vec<Backlog>, StoreError> {
        Ok(query::backlogs(&self.readers).await?)
    }

    async fn dead_letters(&self, query: &DeadLetterQuery) -> Result<Vec<DeadLetter>, StoreError> {
        Ok(query::dead_letters(&self.readers, query).await?)
    }

    async fn deliveries_of(&self, seq: Seq) -> Result<Vec<DeliverySummary>, StoreError> {
        Ok(query::deliveries_of(&self.readers, seq).await?)
    }

    async fn filtered_out(&self, seq: Seq) -> Result<Vec<FilteredOut>, StoreError> {
        Ok(query::filtered_out(&self.readers, seq).await?)
    }
}

#[async_trait]
impl Replays for SqliteStore {
    async fn revive(&self, deliveries: &[DeliveryKey]) -> Result<u64, StoreError> {
        let mut connection = self.connection().await?;
        let revived = replay::revive(&mut connection, deliveries, self.clock.now_ms()).await?;
        drop(connection);
        self.queues.wake(deliveries.iter().map(|key| &*key.destination));
        Ok(revived)
    }

    async fn enqueue(&self, deliveries: &[NewDelivery]) -> Result<u64, StoreError> {
        let mut connection = self.connection().await?;
        let added = route::enqueue(&mut connection, deliveries, self.clock.now_ms()).await?;
        drop(connection);
        self.queues.wake(deliveries.iter().map(|delivery| &*delivery.key.destination));
        Ok(added)
    }

    async fn missing(&self, deliveries: &[DeliveryKey]) -> Result<Vec<DeliveryKey>, StoreError> {
        Ok(query::missing(&self.readers, deliveries).await?)
    }
}
