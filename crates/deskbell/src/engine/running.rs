//! The engine while it runs, and how it stops.

use std::net::SocketAddr;
use std::sync::Arc;

use deskbell_server::{AdminState, RefusedRequests, Tls};
use deskbell_store::{EventLog, LogHandle, Store};
use deskbell_trust::{Ensure, Refetch};
use serde_json::{Map, Value};

use super::listeners::Listeners;
use super::parts::Parts;
use crate::admin::Minutes;
use crate::config::Config;
use crate::endpoints::{Applied, KeySource, changed};
use crate::handler::Handler;
use crate::mirrored::{Mirrored, MirroredError};
use crate::tasks::{self, StoppedEarly, TaskGroup};

/// A running engine. It runs until it is stopped. Dropping it cuts off what it is doing.
#[derive(Debug)]
pub struct Engine {
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

impl Engine {
    /// The address that it listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.listeners.address()
    }

    /// The address of the admin API and the pages: that of `admin_listen`, if there is one.
    #[must_use]
    pub fn admin_address(&self) -> SocketAddr {
        self.listeners.admin_address()
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

    /// Waits until something was declared through the admin API that
    /// [`reload_declared`](Self::reload_declared) applies.
    pub(crate) fn declarations_changed(&self) -> impl Future<Output = ()> + 'static {
        let (store, applied) = (Arc::clone(&self.store), self.applied.clone());
        async move { changed(&*store, &applied).await }
    }

    /// Finds users, organizations and memberships in the mirrors, also before their events arrive.
    #[must_use]
    pub fn mirrored(&self) -> Mirrored {
        Mirrored::new(self.ensure.clone())
    }

    /// The columns of the user's row, also if the user has just signed up and the event has not
    /// arrived: see [`Mirrored::user`].
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// let engine = deskbell::Deskbell::builder().start().await?;
    /// if let Some(user) = engine.ensure_user("user_29w83sxmDNGwOuEthce5gg56FcC").await? {
    ///     println!("{}", user["primary_email_address"]);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The id is not one of a user, or neither the mirror nor Clerk could be asked.
    pub async fn ensure_user(
        &self,
        id: &str,
    ) -> Result<Option<Arc<Map<String, Value>>>, MirroredError> {
        self.mirrored().user(id).await
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
            () = self.listeners.ended() => {}
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
