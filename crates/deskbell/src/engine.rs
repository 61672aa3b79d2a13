//! The engine, put together from the config: the store, the way in, and the consumers.

mod error;
mod listening;
mod parts;
mod reload;
pub(crate) mod routes;

use std::net::SocketAddr;
use std::sync::Arc;

use deskbell_server::{CurrentRoutes, RefusedRequests, Tls};
use deskbell_store::{Database, LogHandle, Store};
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::delivering::Delivering;
use crate::handler::Handler;
use crate::mirror_options::mirror_options;
use crate::tasks::{self, Stage, StoppedEarly};

pub use self::error::StartError;
pub(crate) use self::listening::Listening;
use self::parts::Parts;
pub(crate) use self::reload::Reloaded;

/// A running engine. It works until it is stopped; dropped, it is cut off where it stands.
#[derive(Debug)]
pub struct Engine {
    address: SocketAddr,
    /// What it runs by.
    config: Config,
    store: Arc<dyn Database>,
    log: LogHandle,
    refused: Arc<RefusedRequests>,
    routes: CurrentRoutes,
    tls: Option<Tls>,
    serving: Stage,
    parts: Parts,
    writing: Stage,
}

/// Checks what the config says of its destinations, as far as that can be done without their
/// databases: names, and every expression. Gives warnings.
///
/// # Errors
/// The first destination that makes no sense, and why.
pub fn check_destinations(config: &Config) -> Result<Vec<String>, StartError> {
    check_mirrors(config)?;
    let delivering = Delivering::new(config, Vec::new(), &CancellationToken::new())?;
    Ok(delivering.warnings().to_vec())
}

fn check_mirrors(config: &Config) -> Result<(), StartError> {
    for destination in &config.destinations {
        let Some(options) = mirror_options(destination, &config.sources) else { continue };
        deskbell_sync::check(&options).map_err(|source| StartError::Mirror {
            destination: destination.name.clone(),
            source,
        })?;
    }
    Ok(())
}

impl Engine {
    /// Begins to listen, opens the store, and looks for the mirrors' databases. A database that is
    /// away is tried again: the store's, while requests are answered with 503; a mirror's, while
    /// everything else works.
    ///
    /// # Errors
    /// [`StartError`]: what could not be opened, and why. Nothing is running then.
    pub async fn start(config: &Config) -> Result<Self, StartError> {
        Self::start_with(config, Vec::new()).await
    }

    pub(crate) async fn start_with(
        config: &Config,
        handlers: Vec<Handler>,
    ) -> Result<Self, StartError> {
        let mut listening = Listening::bind(config, handlers).await?;
        match listening.open_store().await {
            Ok(store) => listening.start(store).await,
            Err(error) => {
                listening.stop().await;
                Err(error)
            }
        }
    }

    /// The address that it listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The event log.
    #[must_use]
    pub fn store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.store) as Arc<dyn Store>
    }

    /// Reads the files of `[server] tls` again now, where there are any, instead of at the next look
    /// at them. A mistake in them is logged, and what was read before stays in use.
    pub fn reload_tls(&self) {
        if let Some(Err(error)) = self.tls.as_ref().map(Tls::reload) {
            let error = &error as &dyn std::error::Error;
            tracing::error!(error, "the certificate is not taken; the one before stays");
        }
    }

    /// Returns when a part of the engine has ended although nobody asked it to.
    pub async fn ended_early(&mut self) {
        tokio::select! {
            () = self.serving.ended() => {}
            () = self.parts.ended() => {}
            () = self.writing.ended() => {}
        }
    }

    /// Stops accepting, finishes what is in hand, and closes the store.
    ///
    /// # Errors
    /// [`StoppedEarly`]: a part of the engine had failed before. What was acknowledged is durable
    /// all the same.
    pub async fn stop(self) -> Result<(), StoppedEarly> {
        let Self { serving, parts, writing, store, log, routes, .. } = self;
        // What is in front must not lose what is behind it.
        let mut outcome = serving.stop().await;
        let (workers, mirrors) = parts.into_stages();
        outcome = outcome.and(tasks::stop_all(workers).await);
        // The writer ends by itself once everybody has let go of the log.
        drop((log, routes));
        outcome = outcome.and(writing.stop().await);
        outcome = outcome.and(tasks::stop_all(mirrors).await);
        store.close().await;
        outcome
    }
}
