//! The start: the address is listened on before the store is open, and requests are answered with 503
//! until it is.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use deskbell_server::{CurrentRoutes, RefusedRequests, Server, ServerOptions, Source, Tls};
use deskbell_store::{Database, LogWriter, LogWriterOptions, OpenError, Store};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::parts::{Parts, Shared};
use super::{Engine, StartError, check_mirrors, parts, routes};
use crate::builder::Handler;
use crate::config::{Config, StoreConfig};
use crate::delivering::Delivering;
use crate::tasks::Stage;

/// The pause after the first failure to open the store; it doubles with each.
const PAUSE: Duration = Duration::from_millis(500);
/// The longest pause.
const PAUSE_MAX: Duration = Duration::from_secs(15);
/// How often it is said that the store is still away.
const WARN_INTERVAL: Duration = Duration::from_secs(60);

/// An engine whose store is not open yet: it listens, and takes nothing.
#[derive(Debug)]
pub(crate) struct Listening {
    address: SocketAddr,
    config: Config,
    sources: Vec<Source>,
    delivering: Delivering,
    /// Tells handlers when the program begins to stop.
    stopping: CancellationToken,
    routes: CurrentRoutes,
    tls: Option<Tls>,
    serving: Stage,
}

impl Listening {
    /// Checks the config, as far as that can be done without its databases, and begins to listen.
    pub(crate) async fn bind(config: &Config, handlers: Vec<Handler>) -> Result<Self, StartError> {
        let stopping = CancellationToken::new();
        let delivering = Delivering::new(config, handlers, &stopping)?;
        for warning in delivering.warnings() {
            tracing::warn!("{warning}");
        }
        check_mirrors(config)?;
        let sources = routes::sources(&config.sources)?;
        let paths = sources.iter().flat_map(|source| &source.paths);
        let waiting = deskbell_server::routes::without_store(paths.map(String::as_str));
        let current = CurrentRoutes::new(waiting);
        let tls = routes::certificate(config)?;
        let options = ServerOptions::default();
        let server = Server::bind(config.server.listen(), options, current.router()).await?;
        let server = server.with_tls(tls.clone());
        let address = server.local_addr().map_err(StartError::Address)?;
        let mut serving = Stage::new("server");
        serving.spawn(|shutdown| server.run(shutdown));
        let config = config.clone();
        let routes = current;
        Ok(Self { address, config, sources, delivering, stopping, routes, tls, serving })
    }

    /// Opens the store, and waits for it where its server is away.
    pub(crate) async fn open_store(&self) -> Result<Arc<dyn Database>, StartError> {
        let mut pause = PAUSE;
        let mut warned: Option<Instant> = None;
        loop {
            match self.try_to_open().await {
                Err(StartError::Store(error)) if error.is_away() => {
                    if warned.is_none_or(|at| at.elapsed() >= WARN_INTERVAL) {
                        let error = &error as &dyn std::error::Error;
                        tracing::warn!(address = %self.address, error,
                            "the event log is away; requests are answered with 503 until it is back");
                        warned = Some(Instant::now());
                    }
                }
                Ok(store) if warned.is_some() => {
                    tracing::info!("the event log is back");
                    return Ok(store);
                }
                done => return done,
            }
            sleep(pause).await;
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    async fn try_to_open(&self) -> Result<Arc<dyn Database>, StartError> {
        let store = open(&self.config.store).await?;
        match self.delivering.register(&*store).await {
            Ok(()) => Ok(store),
            Err(error) => {
                store.close().await;
                Err(StartError::Store(OpenError::Store(error)))
            }
        }
    }

    /// Starts everything else.
    pub(crate) async fn start(self, store: Arc<dyn Database>) -> Result<Engine, StartError> {
        let Self { address, config, sources, delivering, stopping, routes: current, tls, serving } =
            self;
        let events = Arc::clone(&store) as Arc<dyn Store>;
        let mirrors = match parts::open_mirrors(&config, &events, |_| true).await {
            Ok(mirrors) => mirrors,
            Err(error) => {
                // What had failed before is of no account beside this.
                let _ = serving.stop().await;
                store.close().await;
                return Err(error);
            }
        };
        let (writer, log) = LogWriter::new(Arc::clone(&events), &LogWriterOptions::default());
        let mut writing = Stage::new("log writer");
        writing.spawn(|_| writer.run());
        let refused = Arc::<RefusedRequests>::default();
        let shared = Shared { config: &config, store: &store, log: &log, refused: &refused };
        let parts = Parts::start(shared, delivering, mirrors, stopping);
        let app = routes::app(shared, sources, parts.running_mirrors(&events))?;
        current.replace(deskbell_server::routes::router(app));
        let routes = current;
        Ok(Engine { address, config, store, log, refused, routes, tls, serving, parts, writing })
    }

    /// Stops listening.
    pub(crate) async fn stop(self) {
        if let Err(error) = self.serving.stop().await {
            let error = &error as &dyn std::error::Error;
            tracing::error!(error, "failed to stop listening");
        }
    }
}

async fn open(config: &StoreConfig) -> Result<Arc<dyn Database>, OpenError> {
    let place = config.place();
    match config.erase_on_delete {
        true => place.open_indexing_people().await,
        false => place.open().await,
    }
}
