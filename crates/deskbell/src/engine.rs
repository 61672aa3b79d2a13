//! The engine, put together from the config: the store, the way in, and the consumers.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use clerk_webhooks::{NoSecret, Verifier};
use deskbell_server::{
    AdminToken, App, BindError, IngestOptions, Server, ServerOptions, Source, routes,
};
use deskbell_store::{
    LogHandle, LogWriter, LogWriterOptions, OpenError, Store, StoreError, SubjectIndexer, Upkeep,
};
use deskbell_sync::{MirrorOptions, MirrorService};
use futures_util::future::join_all;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::builder::Handler;
use crate::config::{Config, ConfigError, SourceConfig};
use crate::delivering::{Delivering, DeliveringError};
use crate::metrics::{self, MetricsError};
use crate::mirror_options::mirror_options;
use crate::outcomes::mirrors::RunningMirrors;
use crate::pruner::{self, Pruner};
use crate::tasks::{Stage, StoppedEarly};

/// How long the start waits for the mirrors' databases.
const OPEN_MAX: Duration = Duration::from_secs(3);

/// A running engine. It works until it is stopped; dropped, it is cut off where it stands.
#[derive(Debug)]
pub struct Engine {
    address: SocketAddr,
    store: Arc<dyn Store>,
    /// In the order in which they stop: what is in front must not lose what is behind it.
    stages: [Stage; 4],
}

/// An engine that could not start. What was opened is closed again.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The config, where it was still to be read.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The event log.
    #[error("the event log cannot be opened")]
    Store(#[from] OpenError),
    /// A source without a secret.
    #[error("the source `{source_name}` cannot verify anything")]
    Source {
        /// The source's name.
        source_name: String,
        /// What is missing.
        source: NoSecret,
    },
    /// A destination's mirror.
    #[error("the mirror of the destination `{destination}` cannot be opened")]
    Mirror {
        /// The destination's name.
        destination: String,
        /// What is wrong with it.
        source: deskbell_sync::ConnectError,
    },
    /// A destination that deliveries are made to.
    #[error(transparent)]
    Delivering(#[from] DeliveringError),
    /// The destinations could not be made known to the store.
    #[error("the event log cannot be written")]
    Register(#[from] StoreError),
    /// The address to listen on.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The system did not say which address it gave us.
    #[error("the address that we listen on is not known")]
    Address(#[source] std::io::Error),
    /// The metrics.
    #[error(transparent)]
    Metrics(#[from] MetricsError),
}

impl StartError {
    /// Whether the config is at fault.
    #[must_use]
    pub fn is_of_config(&self) -> bool {
        match self {
            Self::Mirror { source, .. } => source.is_of_options(),
            Self::Config(_) | Self::Delivering(_) => true,
            _ => false,
        }
    }
}

/// Checks what the config says of its destinations, as far as that can be done without their
/// databases: names, and every expression. Gives warnings.
///
/// # Errors
/// The first destination that makes no sense, and why.
pub fn check_destinations(config: &Config) -> Result<Vec<String>, StartError> {
    for destination in &config.destinations {
        let Some(options) = mirror_options(destination, &config.sources) else { continue };
        deskbell_sync::check(&options).map_err(|source| StartError::Mirror {
            destination: destination.name.clone(),
            source,
        })?;
    }
    let delivering = Delivering::new(config, Vec::new(), &CancellationToken::new())?;
    Ok(delivering.warnings().to_vec())
}

impl Engine {
    /// Opens the store, looks for the mirrors' databases, then begins to listen. A database that is
    /// away is tried again while everything else works.
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
        let mut delivering = Stage::new("delivery");
        let destinations = Delivering::new(config, handlers, delivering.shutdown())?;
        for warning in destinations.warnings() {
            tracing::warn!("{warning}");
        }
        let place = config.store.place();
        let database = match config.store.erase_on_delete {
            true => place.open_indexing_people().await?,
            false => place.open().await?,
        };
        let store = Arc::clone(&database) as Arc<dyn Store>;
        destinations.register(&*database).await?;
        let (mirrors, mirrors_of_pruner, running) = mirrors(config, &store).await?;
        let (writer, log) = LogWriter::new(Arc::clone(&store), &LogWriterOptions::default());
        let server = bind(config, log.clone(), &store, running).await?;
        let address = server.local_addr().map_err(StartError::Address)?;
        let mut writing = Stage::new("log writer");
        // It ends by itself once the server and the workers have let go of the log.
        writing.spawn(|_| writer.run());
        let mut serving = Stage::new("server");
        serving.spawn(|shutdown| server.run(shutdown));
        let sources = config.sources.iter().map(|source| source.name.clone()).collect();
        let routes = destinations.routes();
        let names = routes.iter().map(|route| route.destination.to_string());
        let upkeep = Arc::clone(&database) as Arc<dyn Upkeep>;
        let indexer = SubjectIndexer::new(Arc::clone(&upkeep), Arc::clone(&store));
        delivering.spawn(|shutdown| indexer.run(shutdown));
        let pruner =
            Pruner::new(upkeep, store.log_id(), &config.store, names.collect(), mirrors_of_pruner);
        let log_of_pruner = Arc::clone(&store);
        delivering.spawn(|shutdown| pruner.run(log_of_pruner, shutdown));
        destinations.spawn(&mut delivering, &database, &log, sources);
        Ok(Self { address, store, stages: [serving, delivering, writing, mirrors] })
    }

    /// The address that it listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The event log.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// Returns when a part of the engine has ended although nobody asked it to.
    pub async fn ended_early(&mut self) {
        let [serving, delivering, writing, mirrors] = &mut self.stages;
        tokio::select! {
            () = serving.ended() => {}
            () = delivering.ended() => {}
            () = writing.ended() => {}
            () = mirrors.ended() => {}
        }
    }

    /// Stops accepting, finishes what is in hand, and closes the store.
    ///
    /// # Errors
    /// [`StoppedEarly`]: a part of the engine had failed before. What was acknowledged is durable
    /// all the same.
    pub async fn stop(self) -> Result<(), StoppedEarly> {
        let mut outcome = Ok(());
        for stage in self.stages {
            outcome = outcome.and(stage.stop().await);
        }
        self.store.close().await;
        outcome
    }
}

/// The mirrors, running, where their checkpoints are, and how they are.
async fn mirrors(
    config: &Config,
    store: &Arc<dyn Store>,
) -> Result<(Stage, Vec<pruner::Mirror>, RunningMirrors), StartError> {
    let mut services = Vec::new();
    for destination in config.destinations.iter().filter(|destination| destination.enabled) {
        if let Some(options) = mirror_options(destination, &config.sources) {
            services.push((options.clone(), MirrorService::new(Arc::clone(store), options)));
        }
    }
    let opening = services.iter_mut().map(|(options, service)| open(options, service));
    for opened in join_all(opening).await {
        opened?;
    }
    let mut stage = Stage::new("mirror");
    let mut of_pruner = Vec::new();
    let mut running = RunningMirrors::new(Arc::clone(store));
    for (options, service) in services {
        running.add(&options.destination, service.status());
        of_pruner.push(pruner::Mirror { target: service.target(), options });
        stage.spawn(|shutdown| service.run(shutdown));
    }
    if config.server.admin_token.is_some() {
        stage.spawn(metrics::upkeep);
    }
    Ok((stage, of_pruner, running))
}

/// Opens the mirror's database, where it answers soon, so that mistakes of the config end the start.
/// Whatever else is wrong does not: the mirror is opened later.
async fn open(options: &MirrorOptions, service: &mut MirrorService) -> Result<(), StartError> {
    let failed = |source| StartError::Mirror { destination: options.destination.clone(), source };
    deskbell_sync::check(options).map_err(failed)?;
    match timeout(OPEN_MAX, service.open()).await {
        Ok(Err(error)) if error.is_of_options() => Err(failed(error)),
        _ => Ok(()),
    }
}

async fn bind(
    config: &Config,
    log: LogHandle,
    store: &Arc<dyn Store>,
    mirrors: RunningMirrors,
) -> Result<Server, StartError> {
    let admin_token =
        config.server.admin_token.as_ref().and_then(|token| AdminToken::new(token.0.clone()));
    let app = App {
        sources: config.sources.iter().map(source).collect::<Result<_, _>>()?,
        log,
        store: Arc::clone(store),
        mirrors: Arc::new(mirrors),
        ingest: IngestOptions {
            body_bytes_max: config.server.body_bytes_max,
            ..IngestOptions::default()
        },
        metrics: if admin_token.is_some() { metrics::install()? } else { Arc::new(String::new) },
        admin_token,
    };
    let router = routes::router(app);
    Ok(Server::bind(config.server.listen, ServerOptions::default(), router).await?)
}

fn source(config: &SourceConfig) -> Result<Source, StartError> {
    let secrets = config.signing_secrets.iter().map(|secret| &secret.0);
    let verifier = Verifier::builder().secrets(secrets).tolerance(config.tolerance.0).build();
    Ok(Source {
        name: config.name.as_str().into(),
        paths: config.path.clone(),
        verifier: verifier
            .map_err(|source| StartError::Source { source_name: config.name.clone(), source })?,
    })
}
