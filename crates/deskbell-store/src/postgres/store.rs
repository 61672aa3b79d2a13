//! The store on PostgreSQL as a process has it open.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use tokio::task::JoinSet;

use super::pools::Pools;
use super::replica::Replica;
use super::wake::Wake;
use crate::{Clock, LogId, Store};

/// The log in the schema `deskbell` of a PostgreSQL database. Each process that has it open is a
/// replica: all of them may write at the same time.
#[derive(Debug)]
pub struct PostgresStore {
    pub(super) log_id: LogId,
    pub(crate) pools: Arc<Pools>,
    pub(super) wake: Arc<Wake>,
    /// Used only if it is manual: otherwise the store's clock is the database's.
    pub(super) clock: Clock,
    /// Whether appends index user references.
    pub(super) indexes_user_refs: bool,
    pub(super) replica: Arc<Replica>,
    /// The background tasks, until the store is closed or dropped.
    pub(super) tasks: Mutex<JoinSet<()>>,
}

impl PostgresStore {
    /// Indexes user references from now on, so that what is stored about a user can be erased.
    #[must_use]
    pub fn index_user_refs(mut self) -> Self {
        self.indexes_user_refs = true;
        self
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
