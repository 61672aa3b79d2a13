//! The demo: the engine in a directory of its own, a simulated Clerk over real HTTP, and the truth.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clerk_webhooks::{Secret, SecretError};
use deskbell_sim::{
    Difference, Progress, Report, Scenario, Sender, SenderError, SenderOptions, World,
};
use deskbell_store::{Seq, StoreError};
use deskbell_sync::inspect::{InspectError, MirrorReader};
use rand::Rng;

use crate::config::{Config, DatabaseUrl, DestinationConfig, SigningSecret, StoreConfig};
use crate::{Engine, StartError, StoppedEarly};

/// What stands before the names that the truth has, in the mirror's tables.
const TABLE_PREFIX: &str = "clerk_";
/// The mirror is given up when it has not come further for this long.
const STANDSTILL_MAX: Duration = Duration::from_secs(30);
/// How often the mirror is asked how far it has come.
const LOOK_INTERVAL: Duration = Duration::from_millis(20);

/// What to show.
#[derive(Debug)]
pub(crate) struct Demo {
    pub(crate) events: usize,
    pub(crate) seed: u64,
    pub(crate) directory: PathBuf,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) report: Report,
    /// Rows by table.
    pub(crate) rows: BTreeMap<String, usize>,
    pub(crate) drift: Vec<Difference>,
    pub(crate) store: PathBuf,
    pub(crate) mirror: PathBuf,
}

/// A demo that could not be shown.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DemoError {
    #[error("{} holds an earlier run; give --dir an empty directory", .0.display())]
    NotEmpty(PathBuf),
    #[error("the directory {} cannot be used", .directory.display())]
    Directory { directory: PathBuf, source: std::io::Error },
    #[error("the engine cannot start")]
    Start(#[from] StartError),
    #[error("the simulated Clerk cannot send")]
    Sender(#[from] SenderError),
    #[error("the secret of the demo cannot be used")]
    Secret(#[from] SecretError),
    #[error("the event log cannot be read")]
    Store(#[from] StoreError),
    #[error("the mirror cannot be read")]
    Inspect(#[from] InspectError),
    #[error("the mirror stands still at event {at} of {head}")]
    Standstill { at: Seq, head: Seq },
    #[error("the engine did not stop well")]
    Stop(#[from] StoppedEarly),
}

impl Demo {
    /// Runs it; `progress` hears how far the sender is.
    pub(crate) async fn run(&self, progress: impl FnMut(&Progress)) -> Result<Outcome, DemoError> {
        let (store, mirror) = self.databases()?;
        let secret = random_secret()?;
        let engine = Engine::start(&config(&store, &mirror, &secret)).await?;
        let url = format!("http://{}/api/webhooks", engine.address());
        let sender =
            Sender::new(SenderOptions { seed: self.seed, ..SenderOptions::new(url, secret) })?;
        let mut world = World::new(&Scenario::new(self.seed, self.events));
        let report = sender.run(&mut world, progress).await;
        let reader = MirrorReader::open(&format!("sqlite://{}", mirror.display())).await?;
        wait_for_the_mirror(&engine, &reader).await?;
        let tables = read(&reader).await?;
        engine.stop().await?;
        let drift = deskbell_sim::drift(&world.into_truth(), &tables);
        let rows = tables
            .into_iter()
            .map(|(table, rows)| (format!("{TABLE_PREFIX}{table}"), rows.len()))
            .collect();
        Ok(Outcome { report, rows, drift, store, mirror })
    }

    fn databases(&self) -> Result<(PathBuf, PathBuf), DemoError> {
        std::fs::create_dir_all(&self.directory)
            .map_err(|source| DemoError::Directory { directory: self.directory.clone(), source })?;
        let store = self.directory.join("deskbell.db");
        let mirror = self.directory.join("clerk.db");
        if store.exists() || mirror.exists() {
            return Err(DemoError::NotEmpty(self.directory.clone()));
        }
        Ok((store, mirror))
    }
}

fn random_secret() -> Result<Secret, SecretError> {
    Secret::from_bytes(rand::rng().random::<[u8; 32]>())
}

fn config(store: &Path, mirror: &Path, secret: &Secret) -> Config {
    let mut config = Config {
        store: StoreConfig { url: DatabaseUrl::sqlite(store) },
        destinations: vec![DestinationConfig {
            url: DatabaseUrl::sqlite(mirror),
            ..DestinationConfig::default()
        }],
        ..Config::default()
    };
    config.server.listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    for source in &mut config.sources {
        source.signing_secrets = vec![SigningSecret(secret.clone())];
    }
    config
}

/// Returns once the mirror has dealt with everything that is in the log.
async fn wait_for_the_mirror(engine: &Engine, reader: &MirrorReader) -> Result<(), DemoError> {
    let head = engine.store().head().await?;
    let name = DestinationConfig::default().name;
    let mut at = Seq::ZERO;
    let mut moved = tokio::time::Instant::now();
    let mut look = tokio::time::interval(LOOK_INTERVAL);
    loop {
        look.tick().await;
        let now_at = reader.checkpoint(&name).await?.map_or(Seq::ZERO, |checkpoint| checkpoint.seq);
        if now_at >= head {
            return Ok(());
        }
        if now_at > at {
            (at, moved) = (now_at, tokio::time::Instant::now());
        } else if moved.elapsed() > STANDSTILL_MAX {
            return Err(DemoError::Standstill { at, head });
        }
    }
}

async fn read(reader: &MirrorReader) -> Result<deskbell_sim::Tables, DemoError> {
    let mut tables = deskbell_sim::Tables::new();
    for table in reader.tables().await? {
        tables.insert(table.name.to_owned(), reader.rows(table.name).await?);
    }
    Ok(tables)
}
