//! The server under test, in a process of its own: its memory and its processor time are its own, too.
//!
//! It says where it listens in one line of JSON, serves until its standard input ends, and says in another how it committed.
//! Where it is told so, it delivers what it takes in, too.

use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use clerk_webhooks::{Secret, Verifier};
use deskbell_server::{App, IngestOptions, Server, ServerOptions, Source, routes};
use deskbell_store::deliveries::StartFrom;
use deskbell_store::{EventLog, LogHandle, LogWriter, LogWriterOptions, SubjectIndexer};
use serde::{Deserialize, Serialize};
use testkit::FrontLog;
use tokio::io::AsyncReadExt;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::deliveries::{self, Destination};
use crate::endpoint::{PATH, SECRET};
use crate::error::BenchError;
use crate::location::Location;
use crate::stores::{Commits, DiscardingStore};

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The event log's file or URL; without one, events are discarded
    #[arg(long)]
    store: Option<Location>,
    /// Where every event in the log is delivered to
    #[arg(long, requires = "store")]
    deliver_to: Option<String>,
    /// Deliveries in flight at the same time
    #[arg(long, default_value_t = IN_FLIGHT_MAX)]
    in_flight: usize,
    /// The log's subjects are indexed meanwhile
    #[arg(long, requires = "store")]
    index_subjects: bool,
}

impl Options {
    /// A server on this store, or on the one that discards.
    pub(crate) fn on(store: Option<&Location>) -> Self {
        let (store, in_flight) = (store.cloned(), IN_FLIGHT_MAX);
        Self { store, deliver_to: None, in_flight, index_subjects: false }
    }

    /// A server that indexes subjects, too, as `deskbell serve` does.
    pub(crate) fn indexing(store: &Location) -> Self {
        Self { index_subjects: true, ..Self::on(Some(store)) }
    }

    /// A server that delivers, too.
    pub(crate) fn delivering(store: &Location, to: String, in_flight: usize) -> Self {
        Self { deliver_to: Some(to), in_flight, ..Self::on(Some(store)) }
    }

    /// Writes them into a command line.
    pub(crate) fn add_to(&self, command: &mut Command) {
        command.arg("serve").arg("--in-flight").arg(self.in_flight.to_string());
        if let Some(store) = &self.store {
            command.arg("--store").arg(store.to_string());
        }
        if let Some(url) = &self.deliver_to {
            command.arg("--deliver-to").arg(url);
        }
        if self.index_subjects {
            command.arg("--index-subjects");
        }
    }
}

/// As many as `deskbell serve` has for a destination.
const IN_FLIGHT_MAX: usize = 16;
const NAME: &str = "receiver";
const TIMEOUT: Duration = Duration::from_secs(15);

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Listening {
    pub(crate) address: SocketAddr,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Committed {
    pub(crate) commits: u64,
    pub(crate) events: u64,
}

/// Serves with the same runtime as `deskbell serve`.
pub(crate) fn run(options: &Options) -> Result<(), BenchError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve(options))
}

async fn serve(options: &Options) -> Result<(), BenchError> {
    let shutdown = CancellationToken::new();
    let mut tasks = JoinSet::new();
    let mut opened = None;
    let inner: Arc<dyn EventLog> = match &options.store {
        Some(location) => {
            let database = location.open().await?;
            opened = Some(database.clone());
            if let Some(url) = &options.deliver_to {
                deliveries::register(&*database, NAME, StartFrom::Beginning).await?;
                let to = Destination {
                    name: NAME,
                    url,
                    max_in_flight: options.in_flight,
                    timeout: TIMEOUT,
                };
                deliveries::deliver(&database, &[to], &shutdown, &mut tasks)?;
            }
            if options.index_subjects {
                let indexer = SubjectIndexer::new(database.clone());
                tasks.spawn(indexer.run(shutdown.clone()));
            }
            database
        }
        None => Arc::new(DiscardingStore::new()),
    };
    let store = Arc::new(FrontLog::new(inner, Commits::default()));
    let (writer, log) = LogWriter::new(store.clone(), &LogWriterOptions::default());
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let router = routes::routers(app(log, store.clone())?).public;
    let server = Server::bind(address, ServerOptions::default(), router).await?;
    say(&Listening { address: server.local_addr()? })?;
    tasks.spawn(writer.run());
    tasks.spawn(server.run(shutdown.clone()));
    // Whatever ends the parent ends its standard input here.
    let _ = tokio::io::stdin().read_to_end(&mut Vec::new()).await;
    shutdown.cancel();
    tasks.join_all().await;
    if let Some(opened) = opened {
        opened.close().await;
    }
    let (commits, events) = store.counts();
    say(&Committed { commits, events })?;
    Ok(())
}

fn app(log: LogHandle, store: Arc<dyn EventLog>) -> Result<App, BenchError> {
    Ok(App {
        sources: vec![Source {
            name: "clerk".into(),
            paths: vec![PATH.to_owned()],
            verifier: Verifier::new(Secret::parse(SECRET)?),
        }],
        log,
        store,
        mirrors: Arc::new(()),
        silent: Arc::new(()),
        ingest: IngestOptions::default(),
        clients: deskbell_server::AllowedClients::default(),
        refused: Arc::default(),
        admin: None,
    })
}

fn say(line: &impl Serialize) -> io::Result<()> {
    let mut out = io::stdout().lock();
    serde_json::to_writer(&mut out, line)?;
    writeln!(out)?;
    out.flush()
}
