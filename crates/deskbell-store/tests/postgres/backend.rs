//! PostgreSQL as a backend under test, with or without a pooler in between.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use deskbell_store::conformance::Backend;
use deskbell_store::{
    Clock, Command, CommandId, Commands, EventLog, LogId, PostgresOptions, PostgresStore, Store,
};
use testkit::{PostgresDatabase, PostgresServer};
use tokio::sync::Mutex;

use super::pooler::Pooler;

/// What the clock says when a test begins.
const START_MS: i64 = 1_800_000_000_000;

/// Stores in databases of their own, which go with the backend.
pub(crate) struct Postgres {
    databases: Mutex<HashMap<LogId, PostgresDatabase>>,
    clock: Clock,
    pooled: bool,
    pooler: Mutex<Option<Pooler>>,
}

impl Postgres {
    pub(crate) fn direct() -> Self {
        Self {
            databases: Mutex::default(),
            clock: Clock::manual(START_MS),
            pooled: false,
            pooler: Mutex::default(),
        }
    }

    pub(crate) fn pooled() -> Self {
        Self { pooled: true, ..Self::direct() }
    }

    async fn open(&self, database: &PostgresDatabase) -> PostgresStore {
        let mut options = database.options();
        if self.pooled {
            let mut pooler = self.pooler.lock().await;
            if pooler.is_none() {
                *pooler = Some(Pooler::start(&PostgresServer::of_environment()).await);
            }
            options = pooler.as_ref().unwrap().options(database);
        }
        let options = PostgresOptions { clock: self.clock.clone(), ..options };
        PostgresStore::open(&options).await.unwrap()
    }
}

#[async_trait]
impl Backend for Postgres {
    async fn create(&self) -> Arc<dyn Store> {
        let database = PostgresDatabase::new().await;
        let store = self.open(&database).await;
        self.databases.lock().await.insert(store.log_id(), database);
        Arc::new(store)
    }

    async fn create_indexing_user_refs(&self) -> Arc<dyn Store> {
        let database = PostgresDatabase::new().await;
        let store = self.open(&database).await.index_user_refs();
        self.databases.lock().await.insert(store.log_id(), database);
        Arc::new(store)
    }

    async fn reopen(&self, store: Arc<dyn Store>) -> Arc<dyn Store> {
        store.close().await;
        Arc::new(self.open(&self.databases.lock().await[&store.log_id()]).await)
    }

    fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    async fn enqueue_command(&self, store: &dyn Store, command: &Command) -> CommandId {
        let options = self.databases.lock().await[&store.log_id()].options();
        let options = PostgresOptions { clock: self.clock.clone(), ..options };
        let beside = PostgresStore::open_to_read(&options).await.unwrap();
        beside.enqueue_command(command).await.unwrap()
    }
}
