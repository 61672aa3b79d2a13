//! The server under test, in a process of its own: its memory and its processor time are its own, too.
//!
//! It says where it listens in one line of JSON, serves until its standard input ends, and says in another how it committed.

use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use clerk_webhooks::{Secret, Verifier};
use deskbell_server::{App, IngestOptions, Server, ServerOptions, Source, routes};
use deskbell_store::{LogWriter, LogWriterOptions, SqliteStore, Store};
use serde::{Deserialize, Serialize};
use tokio::io::AsyncReadExt;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::error::BenchError;
use crate::load::{PATH, SECRET};
use crate::stores::{CountingStore, DiscardingStore};

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The event log's file; without one, events are discarded
    #[arg(long)]
    store: Option<PathBuf>,
}

/// The child's first line.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Listening {
    pub(crate) address: SocketAddr,
}

/// The child's last line.
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
    let inner: Arc<dyn Store> = match &options.store {
        Some(path) => Arc::new(SqliteStore::open(path).await?),
        None => Arc::new(DiscardingStore::new()),
    };
    let store = Arc::new(CountingStore::new(inner));
    let (writer, log) = LogWriter::new(store.clone(), &LogWriterOptions::default());
    let app = App {
        sources: vec![Source {
            name: "clerk".into(),
            paths: vec![PATH.to_owned()],
            verifier: Verifier::new(Secret::parse(SECRET)?),
        }],
        log,
        store: store.clone(),
        ingest: IngestOptions::default(),
        admin_token: None,
        metrics: Arc::new(String::new),
    };
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let server = Server::bind(address, ServerOptions::default(), routes::router(app)).await?;
    say(&Listening { address: server.local_addr()? })?;
    let shutdown = CancellationToken::new();
    let mut tasks = JoinSet::from_iter([writer.run()]);
    tasks.spawn(server.run(shutdown.clone()));
    // Whatever ends the parent ends its standard input here.
    let _ = tokio::io::stdin().read_to_end(&mut Vec::new()).await;
    shutdown.cancel();
    tasks.join_all().await;
    store.close().await;
    let (commits, events) = store.counts();
    say(&Committed { commits, events })?;
    Ok(())
}

fn say(line: &impl Serialize) -> io::Result<()> {
    let mut out = io::stdout().lock();
    serde_json::to_writer(&mut out, line)?;
    writeln!(out)?;
    out.flush()
}
