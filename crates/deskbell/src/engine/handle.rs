//! A running engine, as the program that runs it sees it.

use std::net::SocketAddr;
use std::sync::Arc;

use deskbell_server::Tls;
use deskbell_store::{EventLog, Store};
use deskbell_trust::Ensure;
use serde_json::{Map, Value};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::StartError;
use super::reload::Reloaded;
use super::running::Running;
use super::supervisor::{Reload, Supervisor};
use crate::config::Config;
use crate::mirrored::{Mirrored, MirroredError};
use crate::tasks::StoppedEarly;

/// A running engine. It runs until it is stopped. Dropping it cuts off what it is doing.
#[derive(Debug)]
pub struct Engine {
    address: SocketAddr,
    admin_address: SocketAddr,
    store: Arc<dyn Store>,
    ensure: Ensure,
    tls: Option<Tls>,
    reloads: mpsc::Sender<Reload>,
    stop: CancellationToken,
    ended: CancellationToken,
    /// One task.
    supervisor: JoinSet<Result<(), StoppedEarly>>,
}

impl Engine {
    pub(super) fn of(running: Running) -> Self {
        let (address, admin_address) =
            (running.listeners.address(), running.listeners.admin_address());
        let (store, ensure, tls) =
            (running.store.clone(), running.ensure.clone(), running.tls.clone());
        let (reloads, received) = mpsc::channel(1);
        let (stop, ended) = (CancellationToken::new(), CancellationToken::new());
        let supervising =
            Supervisor { running, reloads: received, stop: stop.clone(), ended: ended.clone() };
        let mut supervisor = JoinSet::new();
        supervisor.spawn(supervising.run());
        Self { address, admin_address, store, ensure, tls, reloads, stop, ended, supervisor }
    }

    /// The address that it listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address of the admin API and the pages: that of `admin_listen`, if there is one.
    #[must_use]
    pub fn admin_address(&self) -> SocketAddr {
        self.admin_address
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
        super::reload::reload_tls(self.tls.as_ref());
    }

    /// Applies this config file. Only the destinations that changed are stopped, and finish what is in
    /// flight; events are accepted all the while.
    ///
    /// # Errors
    /// The config is invalid. The one before stays in use, whole.
    pub(crate) async fn reload(&self, new: &Config) -> Result<Reloaded, StartError> {
        let (answer, answered) = oneshot::channel();
        let reload = Reload { config: Box::new(new.clone()), answer };
        self.reloads.send(reload).await.map_err(|_| StartError::Stopped)?;
        answered.await.map_err(|_| StartError::Stopped)?
    }

    /// Waits until a background task ends by itself or panics; which one is logged.
    pub async fn ended_early(&self) {
        self.ended.cancelled().await;
    }

    /// Stops accepting requests, finishes what is in flight, and closes the store.
    ///
    /// # Errors
    /// [`StoppedEarly`]: a background task had failed before. What was acknowledged is durable
    /// all the same.
    pub async fn stop(mut self) -> Result<(), StoppedEarly> {
        // Whoever waits for an entity waits no longer.
        self.ensure.stop();
        self.stop.cancel();
        match self.supervisor.join_next().await {
            Some(Ok(stopped)) => stopped,
            Some(Err(error)) => Err(StoppedEarly::of("supervisor", error)),
            None => Ok(()),
        }
    }
}
