//! Deliveries in the log's database, shared by every process that has it open: claims are in the rows,
//! under a lease by the database's clock.
//!
//! A unit of work is one function in the database, so that it takes one round trip; the functions
//! and the order in which they lock are in `migrations/0002_deliveries.sql`,
//! later versions of some in `migrations/0004_upkeep.sql`.

mod claim;
mod destinations;
mod lists;
mod query;
mod replay;
mod route;
mod settle;

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::Notify;

use super::{PostgresStore, read};
use crate::deliveries::{
    Backlog, Claim, ClaimId, Claimed, DeadLetter, DeadLetterQuery, DeliveryKey, DeliveryQueries,
    DeliveryQueue, DeliverySummary, DestinationHealth, DestinationState, Destinations, FilteredOut,
    NewDelivery, Registration, Replays, Rescheduled, Revived, Routed, RoutedBatch, Routing,
    Settlement,
};
use crate::{FencingToken, ReplayRequest, Seq, StoreError};

impl PostgresStore {
    /// Notifies the workers of each of these destinations, in all processes, that something is due.
    fn wake<'a>(&self, destinations: impl Iterator<Item = &'a str>) {
        for destination in destinations.collect::<BTreeSet<_>>() {
            self.wake.notify_due(destination);
        }
    }
}

#[async_trait]
impl Destinations for PostgresStore {
    async fn register(&self, destination: &Registration) -> Result<DestinationState, StoreError> {
        let mut work = self.pools.transaction().await?;
        let outcome = destinations::register(work.connection(), destination).await;
        let state = work.finish(outcome).await?;
        self.wake(std::iter::once(&*destination.name));
        Ok(state)
    }

    async fn destinations(&self) -> Result<Vec<DestinationState>, StoreError> {
        let mut work = self.pools.statement().await?;
        let outcome = destinations::all(work.connection()).await;
        work.finish(outcome).await
    }

    async fn set_health(
        &self,
        destination: &str,
        health: &DestinationHealth,
    ) -> Result<(), StoreError> {
        let mut work = self.pools.statement().await?;
        let outcome = destinations::set_health(work.connection(), destination, health).await;
        work.finish(outcome).await
    }

    async fn change_health(
        &self,
        destination: &str,
        from: &DestinationHealth,
        to: &DestinationHealth,
    ) -> Result<bool, StoreError> {
        let mut work = self.pools.statement().await?;
        let outcome = destinations::change_health(work.connection(), destination, from, to).await;
        work.finish(outcome).await
    }

    async fn add_dead_letters(&self, destination: &str, count: u32) -> Result<(), StoreError> {
        let mut work = self.pools.statement().await?;
        let outcome = destinations::add_dead_letters(work.connection(), destination, count).await;
        work.finish(outcome).await
    }

    async fn now_ms(&self) -> Result<i64, StoreError> {
        let mut work = self.pools.statement().await?;
        let outcome = destinations::now_ms(work.connection(), self.clock.manual_ms()).await;
        work.finish(outcome).await
    }
}

#[async_trait]
impl Routing for PostgresStore {
    async fn route(&self, batch: &RoutedBatch) -> Result<Routed, StoreError> {
        let mut work = self.pools.statement().await?;
        let outcome = route::route(work.connection(), batch, self.clock.manual_ms()).await;
        let routed = work.finish(outcome).await?;
        if routed == Routed::Done {
            self.wake(batch.deliveries.iter().map(|delivery| &*delivery.key.destination));
        }
        Ok(routed)
    }

    async fn revive_requested(
        &self,
        token: FencingToken,
        requests_max: u32,
    ) -> Result<Revived, StoreError> {
        let mut work = self.pools.statement().await?;
        let manual_ms = self.clock.manual_ms();
        let outcome = replay::act(work.connection(), token, requests_max, manual_ms).await;
        let Some(acted) = work.finish(outcome).await? else { return Ok(Revived::Superseded) };
        self.wake(acted.destinations.iter().map(String::as_str));
        Ok(Revived::Done { requests: acted.requests, deliveries: acted.deliveries })
    }

    async fn replay_requests(
        &self,
        after: i64,
        requests_max: u32,
    ) -> Result<Vec<ReplayRequest>, StoreError> {
        read::replay_requests(&self.pools, after, requests_max).await
    }

    async fn pending(&self, pending_max: u32) -> Result<Vec<(Arc<str>, u64)>, StoreError> {
        let mut work = self.pools.statement().await?;
        let outcome = query::pending(work.connection(), pending_max).await;
        work.finish(outcome).await
    }
}

#[async_trait]
impl DeliveryQueue for PostgresStore {
    async fn claim(&self, claim: &Claim) -> Result<Claimed, StoreError> {
        let mut work = self.pools.statement().await?;
        let outcome = claim::claim(work.connection(), claim, self.clock.manual_ms()).await;
        work.finish(outcome).await
    }

    async fn settle(
        &self,
        destination: &str,
        settlements: &[Settlement],
    ) -> Result<u64, StoreError> {
        if settlements.is_empty() {
            return Ok(0);
        }
        let mut work = self.pools.statement().await?;
        let manual_ms = self.clock.manual_ms();
        let outcome = settle::settle(work.connection(), destination, settlements, manual_ms).await;
        let settled = work.finish(outcome).await?;
        if settled.wakes {
            self.wake(std::iter::once(destination));
        }
        Ok(settled.lost)
    }

    async fn release(&self, destination: &str, claims: &[ClaimId]) -> Result<(), StoreError> {
        let mut work = self.pools.statement().await?;
        let outcome = claim::release(work.connection(), destination, claims).await;
        work.finish(outcome).await?;
        self.wake(std::iter::once(destination));
        Ok(())
    }

    async fn schedule_next_now(
        &self,
        destination: &str,
    ) -> Result<Option<Rescheduled>, StoreError> {
        let mut work = self.pools.statement().await?;
        let manual_ms = self.clock.manual_ms();
        let outcome = claim::schedule_next_now(work.connection(), destination, manual_ms).await;
        let rescheduled = work.finish(outcome).await?;
        if rescheduled.is_some() {
            self.wake(std::iter::once(destination));
        }
        Ok(rescheduled)
    }

    fn due(&self, destination: &str) -> Arc<Notify> {
        self.wake.due(destination)
    }
}

#[async_trait]
impl DeliveryQueries for PostgresStore {
    async fn backlogs(&self) -> Result<Vec<Backlog>, StoreError> {
        let mut work = self.pools.statement().await?;
        let outcome = query::backlogs(work.connection()).await;
        work.finish(outcome).await
    }

    async fn dead_letters(&self, query: &DeadLetterQuery) -> Result<Vec<DeadLetter>, StoreError> {
        let mut work = self.pools.statement().await?;
        let outcome = query::dead_letters(work.connection(), query).await;
        work.finish(outcome).await
    }

    async fn deliveries_of(&self, seq: Seq) -> Result<Vec<DeliverySummary>, StoreError> {
        let mut work = self.pools.transaction().await?;
        let outcome = query::deliveries_of(work.connection(), seq).await;
        work.finish(outcome).await
    }

    async fn filtered_out(&self, seq: Seq) -> Result<Vec<FilteredOut>, StoreError> {
        let mut work = self.pools.statement().await?;
        let outcome = query::filtered_out(work.connection(), seq).await;
        work.finish(outcome).await
    }
}

#[async_trait]
impl Replays for PostgresStore {
    async fn revive(&self, deliveries: &[DeliveryKey]) -> Result<u64, StoreError> {
        let mut work = self.pools.statement().await?;
        let outcome = replay::revive(work.connection(), deliveries, self.clock.manual_ms()).await;
        let revived = work.finish(outcome).await?;
        self.wake(deliveries.iter().map(|key| &*key.destination));
        Ok(revived)
    }

    async fn enqueue(&self, deliveries: &[NewDelivery]) -> Result<u64, StoreError> {
        let mut work = self.pools.statement().await?;
        let outcome = route::enqueue(work.connection(), deliveries, self.clock.manual_ms()).await;
        let added = work.finish(outcome).await?;
        self.wake(deliveries.iter().map(|delivery| &*delivery.key.destination));
        Ok(added)
    }

    async fn missing(&self, deliveries: &[DeliveryKey]) -> Result<Vec<DeliveryKey>, StoreError> {
        let mut work = self.pools.statement().await?;
        let outcome = query::missing(work.connection(), deliveries).await;
        work.finish(outcome).await
    }
}
