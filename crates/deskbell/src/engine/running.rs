//! The engine while it runs, and how it stops.

use std::net::SocketAddr;
use std::sync::Arc;

use deskbell_server::{CurrentRoutes, RefusedRequests, Tls};
use deskbell_store::{EventLog, LogHandle, Store};

use super::parts::Parts;
use crate::config::Config;
use crate::tasks::{self, StoppedEarly, TaskGroup};

/// A running engine. It runs until it is stopped. Dropping it cuts off what it is doing.
#[derive(Debug)]
pub struct Engine {
    pub(super) address: SocketAddr,
    pub(super) config: Config,
    pub(super) store: Arc<dyn Store>,
    pub(super) log: LogHandle,
    pub(super) refused: Arc<RefusedRequests>,
    pub(super) routes: CurrentRoutes,
    pub(super) tls: Option<Tls>,
    pub(super) serving: TaskGroup,
    pub(super) parts: Parts,
    pub(super) writing: TaskGroup,
}

impl Engine {
    /// The address that it listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The event log.
    #[must_use]
    pub fn store(&self) -> Arc<dyn EventLog> {
        self.store.clone()
    }

    /// The store, with everything beside the log.
    pub(crate) fn whole_store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.store)
    }

    /// Reads the files of `[server] tls` now, if there are any, instead of at the next poll. A mistake
    /// in them is logged, and the certificate before stays in use.
    pub fn reload_tls(&self) {
        if let Some(Err(error)) = self.tls.as_ref().map(Tls::reload) {
            let error = &error as &dyn std::error::Error;
            tracing::error!(error, "cannot use the new certificate; the previous one stays in use");
        }
    }

    /// Waits until a background task ends by itself or panics, and logs which one.
    pub async fn ended_early(&mut self) {
        tokio::select! {
            _ = self.serving.ended() => {}
            () = self.parts.ended() => {}
            _ = self.writing.ended() => {}
        }
    }

    /// Stops accepting requests, finishes what is in flight, and closes the store.
    ///
    /// # Errors
    /// [`StoppedEarly`]: a background task had failed before. What was acknowledged is durable
    /// all the same.
    pub async fn stop(self) -> Result<(), StoppedEarly> {
        let Self { serving, parts, writing, store, log, routes, .. } = self;
        // The order is that of the data: what writes stops before what it writes to.
        let mut outcome = serving.stop().await;
        let (workers, mirrors) = parts.into_groups();
        outcome = outcome.and(tasks::stop_all(workers).await);
        // The writer ends by itself when the last handle of the log is dropped.
        drop((log, routes));
        outcome = outcome.and(writing.stop().await);
        outcome = outcome.and(tasks::stop_all(mirrors).await);
        store.close().await;
        outcome
    }
}
