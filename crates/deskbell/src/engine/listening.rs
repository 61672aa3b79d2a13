//! The start: the engine listens before the store is open. Connections wait until it is; if that takes
//! long, requests are answered with 503.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use deskbell_server::{AdminState, RefusedRequests, Source, Tls};
use deskbell_store::{Backoff, ConsumerLog, LogWriter, LogWriterOptions, Store};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use deskbell_trust::{BackfillSource, Refetch};

use super::check::check_mirrors;
use super::listeners::Listeners;
use super::parts::{Parts, Shared};
use super::routes::{Admin, AdminParts};
use super::running::Running;
use super::{Engine, StartError, parts, routes};
use crate::admin::{EndpointsState, Minutes};
use crate::backend_api;
use crate::config::Config;
use crate::delivering::Delivering;
use crate::endpoints::{Applied, Declared, KeySource};
use crate::handler::Handler;
use crate::mirrored::Mirrored;
use crate::tasks;

/// The longest pause between tries to open the store.
const BACKOFF_MAX: Duration = Duration::from_secs(15);
/// How long connections wait for the store before they are answered with 503.
const SILENT_MAX: Duration = Duration::from_secs(2);
/// How often it is logged that the store is still unreachable.
const WARN_INTERVAL: Duration = Duration::from_secs(60);

impl Engine {
    /// Listens, opens the store, and opens the mirrors' databases. A database that is unreachable is
    /// tried again: the store's, while requests are answered with 503; a mirror's, while everything
    /// else works.
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
            Ok(opened) => listening.start(opened).await,
            Err(error) => {
                listening.stop().await;
                Err(error)
            }
        }
    }
}

/// The store, and the config with what is declared in it.
pub(crate) struct Opened {
    store: Arc<dyn Store>,
    declared: Declared,
    config: Config,
    delivering: Delivering,
}

/// An engine that listens, and whose store is not open yet.
pub(crate) struct Listening {
    config: Config,
    sources: Vec<Source>,
    admin: Admin,
    handlers: Vec<Handler>,
    key: KeySource,
    readable: Vec<BackfillSource>,
    /// Tells handlers when the program begins to stop.
    stopping: CancellationToken,
    tls: Option<Tls>,
    listeners: Listeners,
}

impl Listening {
    /// Checks the config as far as possible without its databases, and listens.
    pub(crate) async fn bind(config: &Config, handlers: Vec<Handler>) -> Result<Self, StartError> {
        let stopping = CancellationToken::new();
        let delivering = Delivering::new(config, handlers.clone(), &stopping)?;
        for warning in delivering.warnings() {
            tracing::warn!("{warning}");
        }
        check_mirrors(config)?;
        let sources = routes::sources(&config.sources)?;
        let readable = backend_api::sources(config)?;
        let admin = routes::admin(config)?;
        let tls = routes::certificate(config)?;
        let paths = sources.iter().flat_map(|source| &source.paths).map(String::as_str);
        let listeners = Listeners::bind(&config.server, paths, tls.as_ref()).await?;
        let (config, key) = (config.clone(), KeySource::of(config));
        Ok(Self { config, sources, admin, handlers, key, readable, stopping, tls, listeners })
    }

    /// Opens the store. While its server is unreachable, tries again.
    pub(crate) async fn open_store(&mut self) -> Result<Opened, StartError> {
        let Self { config, key, handlers, stopping, listeners, .. } = self;
        let address = listeners.address();
        let mut backoff = Backoff::new(BACKOFF_MAX);
        let mut warned: Option<Instant> = None;
        loop {
            let mut opening = pin!(open(config, key, handlers, stopping));
            let opened = match timeout(SILENT_MAX, &mut opening).await {
                Ok(opened) => opened,
                Err(_) => {
                    listeners.open();
                    opening.await
                }
            };
            match opened {
                Err(error) if error.is_away() => {
                    listeners.open();
                    if warned.is_none_or(|at| at.elapsed() >= WARN_INTERVAL) {
                        let error = &error as &dyn std::error::Error;
                        tracing::warn!(%address, error,
                            "the event log is unavailable; requests are answered with 503 until \
                             it is back");
                        warned = Some(Instant::now());
                    }
                }
                Err(error) => return Err(error),
                Ok(opened) => {
                    if warned.is_some() {
                        tracing::info!("the event log is available again");
                    }
                    return Ok(opened);
                }
            }
            sleep(backoff.failed()).await;
        }
    }

    /// Accepts events from now on, and starts the background tasks.
    pub(crate) async fn start(self, opened: Opened) -> Result<Engine, StartError> {
        let Self { config: file_config, sources, admin, stopping, tls, .. } = self;
        let (readable, mut listeners, handlers, key) =
            (self.readable, self.listeners, self.handlers, self.key);
        let Opened { store, declared, config, delivering } = opened;
        let applied = Applied::new(declared.revision);
        let consumed: Arc<dyn ConsumerLog> = store.clone();
        let refetch = Refetch::new(Arc::clone(&consumed), readable.clone());
        let mut mirrors = parts::new_mirrors(&config, &consumed, &refetch, |_| true);
        let (writer, log) = LogWriter::new(store.clone(), &LogWriterOptions::default());
        let writing = tasks::start_log_writer(writer);
        let refused = Arc::<RefusedRequests>::default();
        let shared = Shared {
            config: &config,
            store: &store,
            log: &log,
            refused: &refused,
            readable: &readable,
        };
        let ensure = parts::ensure(&mirrors, &consumed, &readable);
        let (minutes, state) = (Arc::<Minutes>::default(), AdminState::default());
        let local = routes::local_admin(
            shared,
            AdminParts {
                replayer: delivering.replayer(&store, config.source_names()),
                statuses: parts::statuses(&mirrors, &consumed),
                endpoints: EndpointsState::new(key.clone(), &declared, applied.clone()),
                minutes: Arc::clone(&minutes),
            },
        );
        let mirrored = Mirrored::new(ensure.clone());
        listeners.replace(routes::routers(shared, sources, admin, mirrored, local, &state));
        listeners.open();
        // Requests do not wait for these.
        if let Err(error) = parts::open_mirrors(&mut mirrors).await {
            // Failures while stopping matter less than this error.
            let _ = listeners.stop().await;
            drop(log);
            let _ = writing.stop().await;
            store.close().await;
            return Err(error);
        }
        let parts = Parts::start(shared, delivering, mirrors, stopping);
        Ok(Engine::of(Running {
            file_config,
            config,
            applied,
            key,
            handlers,
            minutes,
            state,
            store,
            log,
            refused,
            listeners,
            ensure,
            refetch,
            tls,
            parts,
            writing,
        }))
    }

    pub(crate) async fn stop(self) {
        if let Err(error) = self.listeners.stop().await {
            let error = &error as &dyn std::error::Error;
            tracing::error!(error, "failed to stop listening");
        }
    }
}

/// Opens the store, reads what is declared in it, and registers the destinations.
async fn open(
    config: &Config,
    key: &KeySource,
    handlers: &[Handler],
    stopping: &CancellationToken,
) -> Result<Opened, StartError> {
    let location = config.store.location();
    let store = match config.store.erase_on_delete {
        true => location.open_indexing_user_refs().await?,
        false => location.open().await?,
    };
    match declared(&*store, config, key, handlers, stopping).await {
        Ok((declared, config, delivering)) => Ok(Opened { store, declared, config, delivering }),
        Err(error) => {
            store.close().await;
            Err(error)
        }
    }
}

async fn declared(
    store: &dyn Store,
    config: &Config,
    key: &KeySource,
    handlers: &[Handler],
    stopping: &CancellationToken,
) -> Result<(Declared, Config, Delivering), StartError> {
    let declared = Declared::read(store, key).await?;
    let config = declared.applied_to(config);
    let delivering = Delivering::new(&config, handlers.to_vec(), stopping)?;
    delivering.register(store).await?;
    Ok((declared, config, delivering))
}
