//! What runs, and the order in which it stops.

use std::sync::Arc;

use deskbell_server::{AdminState, RefusedRequests, Tls};
use deskbell_store::{LogHandle, Store};
use deskbell_trust::{Ensure, Refetch};

use super::listeners::Listeners;
use super::parts::Parts;
use crate::admin::Minutes;
use crate::config::Config;
use crate::endpoints::{Applied, KeySource};
use crate::handler::Handler;
use crate::tasks::{self, StoppedEarly, TaskGroup};

/// The parts of a running engine. Dropping them cuts off what they are doing.
#[derive(Debug)]
pub(super) struct Running {
    /// That of the file.
    pub(super) file_config: Config,
    /// With what was declared through the admin API.
    pub(super) config: Config,
    pub(super) applied: Applied,
    pub(super) key: KeySource,
    pub(super) handlers: Vec<Handler>,
    pub(super) minutes: Arc<Minutes>,
    /// What the admin API remembers of its clients, whatever the config.
    pub(super) state: AdminState,
    pub(super) store: Arc<dyn Store>,
    pub(super) log: LogHandle,
    pub(super) refused: Arc<RefusedRequests>,
    pub(super) listeners: Listeners,
    pub(super) ensure: Ensure,
    pub(super) refetch: Refetch,
    pub(super) tls: Option<Tls>,
    pub(super) parts: Parts,
    pub(super) writing: TaskGroup,
}

impl Running {
    /// Waits until a background task ends by itself or panics, and logs which one.
    pub(super) async fn ended_early(&mut self) {
        tokio::select! {
            () = self.listeners.ended() => {}
            () = self.parts.ended() => {}
            _ = self.writing.ended() => {}
        }
    }

    /// Stops accepting requests, finishes what is in flight, and closes the store.
    pub(super) async fn stop(self) -> Result<(), StoppedEarly> {
        let Self { listeners, parts, writing, store, log, ensure, .. } = self;
        ensure.stop();
        // The order is that of the data: what writes stops before what it writes to.
        let mut outcome = listeners.stop().await;
        let (workers, mirrors) = parts.into_groups();
        outcome = outcome.and(tasks::stop_all(workers).await);
        // The writer ends by itself when the last handle of the log is dropped.
        drop(log);
        outcome = outcome.and(writing.stop().await);
        outcome = outcome.and(tasks::stop_all(mirrors).await);
        store.close().await;
        outcome
    }
}
