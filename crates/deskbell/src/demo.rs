//! The demo: the engine in a directory of its own, a simulated Clerk and a flaky receiver over real
//! HTTP, and the truth.

mod flaky;
mod history;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clerk_webhooks::{Secret, SecretError};
use deskbell_config::ONE_TIME_CODES;
use deskbell_sim::{
    Difference, Progress, Report, Scenario, Sender, SenderError, SenderOptions, Truth, World,
};
use deskbell_store::{Seq, StoreError};
use deskbell_sync::inspect::{InspectError, MirrorReader};
use rand::Rng;

pub(crate) use self::flaky::Delivered;
use self::flaky::Flaky;
use self::history::HistoricClerk;
pub(crate) use self::history::{HistoryError, HistoryOutcome};
use crate::config::{
    self, AllowedHost, Config, DatabaseConfig, DatabaseUrl, DeliveryConfig, DestinationConfig,
    DestinationKind, EndpointSecret, EndpointSecrets, HttpConfig, HttpUrl, RetryPolicy,
    SignatureVersion, SigningSecret, StoreConfig,
};
use crate::{Engine, StartError, StoppedEarly, mirror_rows};

/// The mirror is given up when it has not come further for this long.
const STANDSTILL_MAX: Duration = Duration::from_secs(30);
/// How often the mirror is asked how far it has come.
const POLL_INTERVAL: Duration = Duration::from_millis(20);
/// The destination of the flaky receiver.
const RECEIVER: &str = "receiver";
/// Its deliveries at the same time.
const IN_FLIGHT_MAX: usize = 32;
/// The waits before what it refused is tried again: it recovers soon.
const WAITS_MS: [u64; 3] = [250, 500, 1_000];
const THEN_EVERY: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub(crate) struct Demo {
    pub(crate) events: usize,
    pub(crate) seed: u64,
    pub(crate) directory: PathBuf,
    /// Where the event log is; `None`: in a file in the directory.
    pub(crate) store: Option<DatabaseUrl>,
    /// Where the mirror goes; `None`: into a file in the directory.
    pub(crate) mirror: Option<DatabaseUrl>,
    /// How many users there are before the engine starts; `None`: Clerk is new, and has only webhooks.
    pub(crate) with_history: Option<usize>,
}

#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) report: Report,
    /// Rows by table, as the database names them.
    pub(crate) rows: BTreeMap<String, usize>,
    pub(crate) drift: Vec<Difference>,
    pub(crate) delivered: Delivered,
    pub(crate) store: DatabaseUrl,
    pub(crate) mirror: DatabaseUrl,
    /// What came of the history, where there was one.
    pub(crate) history: Option<HistoryOutcome>,
}

/// A demo that could not be shown.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DemoError {
    #[error("{} contains an earlier run; use an empty directory for --dir", .0.display())]
    NotEmpty(PathBuf),
    #[error(
        "{url} already has a mirror, which the demo must not change; use another database, or \
         delete the mirror: {remedy}"
    )]
    MirrorNotEmpty { url: DatabaseUrl, remedy: String },
    #[error(
        "{url} already has an event log, which the demo must not change; use another database, or \
         delete the log: {remedy}"
    )]
    StoreNotEmpty { url: DatabaseUrl, remedy: String },
    #[error("cannot use the directory {}", .directory.display())]
    Directory { directory: PathBuf, source: std::io::Error },
    #[error("cannot start the engine")]
    Start(#[from] StartError),
    #[error("cannot start the receiver")]
    Receiver(#[source] std::io::Error),
    #[error("the receiver has no address: {0}")]
    ReceiverUrl(String),
    #[error("the simulated Clerk failed to send")]
    Sender(#[from] SenderError),
    #[error("invalid signing secret of the demo")]
    Secret(#[from] SecretError),
    #[error("cannot read the event log")]
    Store(#[from] StoreError),
    #[error("cannot read the mirror")]
    Inspect(#[from] InspectError),
    #[error("cannot show a Clerk with a history")]
    History(#[from] HistoryError),
    #[error("the mirror is stuck at event {at} of {head}")]
    Standstill { at: Seq, head: Seq },
    #[error("failed to stop the engine")]
    Stop(#[from] StoppedEarly),
}

impl Demo {
    /// Runs it; `progress` hears how far the sender is.
    pub(crate) async fn run(&self, progress: impl FnMut(&Progress)) -> Result<Outcome, DemoError> {
        let (store, mirror) = self.databases()?;
        require_no_mirror(&mirror).await?;
        require_no_log(&store).await?;
        let secret = random_secret()?;
        let endpoint = random_secret()?;
        let flaky = Flaky::start(&endpoint, self.seed).await.map_err(DemoError::Receiver)?;
        let receiver = receiver(&flaky.url(), endpoint)?;
        let config = config(&store, &mirror, &secret, receiver);
        let sent = match self.with_history {
            None => self.send(&config, progress).await?,
            Some(users) => self.send_with_history(users, config, progress).await?,
        };
        let Sent { engine, reader, report, truth, history } = sent;
        let delivered = flaky.wait_for(&report.acked_at).await;
        let (tables, rows) = mirror_rows::read(&reader).await?;
        engine.stop().await?;
        let drift = deskbell_sim::drift(&truth, &tables);
        Ok(Outcome { report, rows, drift, delivered, store, mirror, history })
    }

    /// Sends everything that happens in a new Clerk.
    async fn send(
        &self,
        config: &Config,
        progress: impl FnMut(&Progress),
    ) -> Result<Sent, DemoError> {
        let engine = Engine::start(config).await?;
        let sender = self.sender(&engine, config)?;
        let mut world = World::new(&Scenario::new(self.seed, self.events));
        let report = sender.run(&mut world, progress).await;
        let reader = MirrorReader::open(mirror_of(config)).await?;
        wait_for_the_mirror(&engine, &reader).await?;
        Ok(Sent { engine, reader, report, truth: world.into_truth(), history: None })
    }

    /// Starts with what is there before, connects, sends what happens then, and loses some of it.
    async fn send_with_history(
        &self,
        users: usize,
        mut config: Config,
        progress: impl FnMut(&Progress),
    ) -> Result<Sent, DemoError> {
        let mut clerk = HistoricClerk::start(self.seed, users, self.events).await?;
        clerk.configure(&mut config)?;
        let engine = Engine::start(&config).await?;
        let secret = clerk.connect(&config, &url_of(&engine)).await?;
        config.sources[0].signing_secrets = vec![SigningSecret(secret)];
        engine.reload(&config).await?;
        let sender = self.sender(&engine, &config)?;
        let report = sender.run(clerk.messages(self.events), progress).await;
        let reader = MirrorReader::open(mirror_of(&config)).await?;
        let store = engine.whole_store();
        let backfilled = clerk.wait_for_the_backfill(&*store).await?;
        wait_for_the_mirror(&engine, &reader).await?;
        let repaired = clerk.reconcile(&config, &*store).await?;
        let messages_missing = clerk.recover_messages(&*store).await?;
        wait_for_the_mirror(&engine, &reader).await?;
        let (history, lost) = (clerk.users_before(), clerk.lost());
        let outcome = HistoryOutcome { history, backfilled, lost, repaired, messages_missing };
        let truth = clerk.into_truth();
        Ok(Sent { engine, reader, report, truth, history: Some(outcome) })
    }

    fn sender(&self, engine: &Engine, config: &Config) -> Result<Sender, SenderError> {
        let secrets = config.sources.iter().flat_map(|source| &source.signing_secrets);
        let secret = secrets.map(|SigningSecret(secret)| secret.clone()).next();
        let secret = secret.ok_or(SenderError::NoSecret)?;
        let options =
            SenderOptions { seed: self.seed, ..SenderOptions::new(url_of(engine), secret) };
        Sender::new(options)
    }

    fn databases(&self) -> Result<(DatabaseUrl, DatabaseUrl), DemoError> {
        std::fs::create_dir_all(&self.directory)
            .map_err(|source| DemoError::Directory { directory: self.directory.clone(), source })?;
        let store = self.directory.join("deskbell.db");
        let mirror = self.directory.join("clerk.db");
        let is_taken = |url: &Option<DatabaseUrl>, file: &Path| url.is_none() && file.exists();
        if is_taken(&self.store, &store) || is_taken(&self.mirror, &mirror) {
            return Err(DemoError::NotEmpty(self.directory.clone()));
        }
        let or_file = |url: &Option<DatabaseUrl>, file: &Path| {
            url.clone().unwrap_or_else(|| DatabaseUrl::sqlite(file))
        };
        Ok((or_file(&self.store, &store), or_file(&self.mirror, &mirror)))
    }
}

/// What was sent, with the engine that still runs.
struct Sent {
    engine: Engine,
    reader: MirrorReader,
    report: Report,
    truth: Truth,
    history: Option<HistoryOutcome>,
}

fn url_of(engine: &Engine) -> String {
    format!("http://{}/api/webhooks", engine.address())
}

/// Where the config's mirror is.
fn mirror_of(config: &Config) -> &DatabaseUrl {
    let databases = config.destinations.iter().filter_map(|destination| match &destination.kind {
        DestinationKind::Database(database) => Some(&database.url),
        _ => None,
    });
    databases.into_iter().next().expect("the demo's config has a mirror")
}

/// Refuses a database in which there is an event log.
async fn require_no_log(url: &DatabaseUrl) -> Result<(), DemoError> {
    let location = StoreConfig { url: url.clone(), ..StoreConfig::default() }.location();
    match location.open_to_read().await {
        Ok(store) => {
            store.close().await;
            let remedy = match url {
                DatabaseUrl::Sqlite(file) => format!("rm {}", file.path().display()),
                DatabaseUrl::Postgres(_) => {
                    format!("psql '{url}' -c 'DROP SCHEMA deskbell CASCADE'")
                }
            };
            Err(DemoError::StoreNotEmpty { url: url.clone(), remedy })
        }
        Err(error) if error.is_missing() => Ok(()),
        Err(error) => Err(DemoError::Start(error.into())),
    }
}

/// Refuses a database in which a mirror has ever been kept.
async fn require_no_mirror(url: &DatabaseUrl) -> Result<(), DemoError> {
    let schema = DatabaseConfig::default().schema;
    let remedy = match url {
        DatabaseUrl::Sqlite(file) if !file.path().exists() => return Ok(()),
        DatabaseUrl::Sqlite(file) => format!("rm {}", file.path().display()),
        DatabaseUrl::Postgres(_) => format!("psql '{url}' -c 'DROP SCHEMA {schema} CASCADE'"),
    };
    let reader = MirrorReader::open(url).await?;
    let rows = reader.tables().await?.iter().map(|table| table.rows).sum::<u64>();
    if rows > 0 || !reader.destinations().await?.is_empty() {
        return Err(DemoError::MirrorNotEmpty { url: url.clone(), remedy });
    }
    Ok(())
}

fn random_secret() -> Result<Secret, SecretError> {
    Secret::from_bytes(rand::rng().random::<[u8; 32]>())
}

fn config(
    store: &DatabaseUrl,
    mirror: &DatabaseUrl,
    secret: &Secret,
    receiver: DestinationConfig,
) -> Config {
    let mirror = DestinationConfig {
        kind: DestinationKind::Database(DatabaseConfig {
            url: mirror.clone(),
            ..DatabaseConfig::default()
        }),
        ..DestinationConfig::default()
    };
    let mut config = Config {
        store: StoreConfig { url: store.clone(), ..StoreConfig::default() },
        destinations: vec![mirror, receiver],
        ..Config::default()
    };
    config.server.listen = Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into());
    for source in &mut config.sources {
        source.signing_secrets = vec![SigningSecret(secret.clone())];
    }
    config
}

/// The destination that forwards everything to this URL.
fn receiver(url: &str, secret: Secret) -> Result<DestinationConfig, DemoError> {
    let url = url.parse::<HttpUrl>().map_err(DemoError::ReceiverUrl)?;
    let secret = EndpointSecret { secret, version: SignatureVersion::V1, until: None };
    let http = HttpConfig {
        allow_hosts: vec![AllowedHost::Network(IpAddr::V4(Ipv4Addr::LOCALHOST).into())],
        ..HttpConfig::new(url, EndpointSecrets(vec![secret]))
    };
    let waits = WAITS_MS.map(|ms| config::Duration::new(Duration::from_millis(ms)));
    let everything = ["*"].iter().chain(ONE_TIME_CODES);
    let delivery = DeliveryConfig {
        events: Some(everything.map(|&name| name.to_owned()).collect()),
        max_in_flight: IN_FLIGHT_MAX,
        retry: RetryPolicy {
            schedule: waits.to_vec(),
            then_every: Some(config::Duration::new(THEN_EVERY)),
            ..RetryPolicy::default()
        },
        ..DeliveryConfig::default()
    };
    Ok(DestinationConfig {
        delivery: Some(delivery),
        ..DestinationConfig::new(RECEIVER, DestinationKind::Http(http))
    })
}

/// Returns once the mirror has dealt with everything that is in the log.
async fn wait_for_the_mirror(engine: &Engine, reader: &MirrorReader) -> Result<(), DemoError> {
    let head = engine.store().head().await?;
    let name = DestinationConfig::default().name;
    let mut at = Seq::ZERO;
    let mut moved = tokio::time::Instant::now();
    let mut look = tokio::time::interval(POLL_INTERVAL);
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
