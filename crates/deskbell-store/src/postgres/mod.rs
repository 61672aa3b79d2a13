//! The backend on PostgreSQL: one schema of a database, and any number of processes that share it.

mod append;
mod check;
mod commands;
mod connect;
mod deliveries;
mod instances;
mod leases;
mod migrations;
mod open;
mod options;
mod parameters;
mod pool;
mod pooled_connection;
mod pooler;
mod pools;
mod read;
mod refusals;
#[cfg(unix)]
mod relay;
mod retention;
mod silence;
mod subject_events;
mod subject_index;
mod user_refs;
mod wake;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::watch;
use tokio::task::JoinSet;

pub use connect::PostgresConnector;
pub use open::PostgresOpenError;
pub use options::PostgresOptions;

pub(crate) use pooled_connection::PooledConnection;
use pools::Pools;
use wake::Wake;

use crate::{
    Appended, Clock, ConsumerReport, EventLog, FencingToken, Leases, LogId, NewEvent, ReadLimit,
    Seq, SourceInstance, SourceInstances, Store, StoreError, StoredEvent, SubjectEvents,
};

/// The log in the schema `deskbell` of a PostgreSQL database. Each process that has it open is a
/// replica: all of them may write at the same time.
#[derive(Debug)]
pub struct PostgresStore {
    log_id: LogId,
    pub(crate) pools: Arc<Pools>,
    wake: Arc<Wake>,
    /// Used only if it is manual: otherwise the store's clock is the database's.
    clock: Clock,
    /// Whether appends index user references.
    indexes_user_refs: bool,
    /// The random name of this process as a holder of leases.
    replica: String,
    /// The background tasks, until the store is closed or dropped.
    tasks: Mutex<JoinSet<()>>,
}

impl PostgresStore {
    /// How far the database's clock is ahead of this machine's, in milliseconds.
    ///
    /// # Errors
    /// The database could not be asked.
    pub async fn clock_skew(&self) -> Result<i64, StoreError> {
        let mut work = self.pools.statement().await?;
        let skew = check::skew_ms(work.connection(), &self.clock).await;
        work.finish(skew).await
    }
}

#[async_trait]
impl EventLog for PostgresStore {
    fn log_id(&self) -> LogId {
        self.log_id
    }

    async fn append(&self, batch: &[NewEvent]) -> Result<Vec<Appended>, StoreError> {
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        let mut work = self.pools.append().await?;
        let user_refs_of = self.indexes_user_refs.then_some(self.log_id);
        let manual_ms = self.clock.manual_ms();
        let appended = append::append(work.connection(), batch, manual_ms, user_refs_of).await;
        let appended = work.finish(appended).await?;
        let head = appended.iter().map(|one| one.seq()).max().unwrap_or_default();
        self.wake.appended(head);
        Ok(appended)
    }

    async fn read(&self, after: Seq, limit: ReadLimit) -> Result<Vec<StoredEvent>, StoreError> {
        read::events(&self.pools, after, limit).await
    }

    async fn message_id_at(&self, seq: Seq) -> Result<Option<String>, StoreError> {
        read::message_id_at(&self.pools, seq).await
    }

    async fn find(
        &self,
        source: &str,
        message_id: &str,
    ) -> Result<Option<StoredEvent>, StoreError> {
        read::find(&self.pools, source, message_id).await
    }

    async fn events_by_subject(
        &self,
        subject: &str,
        before: Option<Seq>,
        limit: ReadLimit,
    ) -> Result<SubjectEvents, StoreError> {
        let mut work = self.pools.statement().await?;
        let page = subject_events::find(work.connection(), subject, before, limit).await;
        work.finish(page).await
    }

    async fn head(&self) -> Result<Seq, StoreError> {
        read::head(&self.pools).await
    }

    async fn first_received_since(&self, at_ms: i64) -> Result<Seq, StoreError> {
        read::first_received_since(&self.pools, at_ms).await
    }

    fn subscribe(&self) -> watch::Receiver<Seq> {
        self.wake.subscribe()
    }

    async fn check_writable(&self) -> Result<(), StoreError> {
        check::judge(self.clock_skew().await?)?;
        let mut work = self.pools.statement().await?;
        let written = check::write_a_mark(work.connection(), self.clock.manual_ms()).await;
        work.finish(written).await
    }
}

#[async_trait]
impl Leases for PostgresStore {
    async fn next_fencing_token(&self, consumer: &str) -> Result<FencingToken, StoreError> {
        let mut work = self.pools.statement().await?;
        let manual_ms = self.clock.manual_ms();
        let token = leases::next_token(work.connection(), consumer, &self.replica, manual_ms).await;
        work.finish(token).await?.ok_or(StoreError::NotLeader)
    }

    async fn renew_lease(&self, consumer: &str, lease: Duration) -> Result<bool, StoreError> {
        let mut work = self.pools.statement().await?;
        let manual_ms = self.clock.manual_ms();
        let held =
            leases::renew(work.connection(), consumer, &self.replica, lease, manual_ms).await;
        work.finish(held).await
    }

    async fn release_lease(&self, consumer: &str) -> Result<(), StoreError> {
        let mut work = self.pools.statement().await?;
        let released = leases::release(work.connection(), consumer, &self.replica).await;
        work.finish(released).await
    }

    async fn publish_report(&self, consumer: &str, body: &str) -> Result<bool, StoreError> {
        let mut work = self.pools.statement().await?;
        let manual_ms = self.clock.manual_ms();
        let kept =
            leases::report(work.connection(), consumer, &self.replica, body, manual_ms).await;
        work.finish(kept).await
    }

    async fn latest_report(&self, consumer: &str) -> Result<Option<ConsumerReport>, StoreError> {
        let mut work = self.pools.statement().await?;
        let report = leases::read_report(work.connection(), consumer).await;
        work.finish(report).await
    }
}

#[async_trait]
impl SourceInstances for PostgresStore {
    async fn source_instance(&self, source: &str) -> Result<Option<SourceInstance>, StoreError> {
        let mut work = self.pools.statement().await?;
        let found = instances::find(work.connection(), source).await;
        work.finish(found).await
    }

    async fn pin_source_instance(
        &self,
        source: &str,
        found: &SourceInstance,
    ) -> Result<SourceInstance, StoreError> {
        let mut work = self.pools.transaction().await?;
        let kept = instances::pin(work.connection(), source, found).await;
        work.finish(kept).await
    }
}

#[async_trait]
impl Store for PostgresStore {
    async fn close(&self) {
        let mut tasks =
            std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        tasks.shutdown().await;
        self.pools.close().await;
    }
}
