//! What a fault is tried on: replicas behind a balancer, their store and mirror, and a receiver.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use deskbell_sim::Tables;
use deskbell_sync::inspect::MirrorReader;
use reqwest::Client;
use testkit::Proxy;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::balancer::{Balancer, is_ready};
use crate::error::FaultError;
use crate::ledger::Ledger;
use crate::load;
use crate::receiver::{self, Inbox};
use crate::replica::{Replica, Setup};
use crate::server::{self, Server};
use crate::store::{Progress, Store};

/// Replicas that share PostgreSQL.
const REPLICAS: usize = 3;
/// How long a replica may take until it is ready.
const START_TIME_MAX: Duration = Duration::from_secs(60);
/// Between two looks at how far everything is.
const LOOK_INTERVAL: Duration = Duration::from_millis(250);
/// How long `/readyz` may take.
const READY_TIME_MAX: Duration = Duration::from_secs(2);
/// The destination that the mirror is.
const MIRROR: &str = "mirror";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Backend {
    /// One replica with a file.
    Sqlite,
    /// Three replicas, each with a proxy of its own before the one server.
    Postgres,
}

/// How a test cluster is made.
#[derive(Debug)]
pub(crate) struct Plan<'a> {
    pub(crate) seed: u64,
    pub(crate) backend: Backend,
    pub(crate) program: &'a Path,
    pub(crate) directory: PathBuf,
    /// The library that turns clocks, where one is to be turned.
    pub(crate) faketime: Option<PathBuf>,
    /// The part of the databases' names that tells this cluster from others of the server.
    pub(crate) name: String,
}

#[derive(Debug)]
pub(crate) struct TestCluster<'a> {
    pub(crate) directory: PathBuf,
    pub(crate) replicas: Vec<Replica>,
    /// One a replica; none with SQLite.
    pub(crate) proxies: Vec<Proxy>,
    pub(crate) server: &'a mut Server,
    pub(crate) balancer: Balancer,
    pub(crate) client: Client,
    pub(crate) store: Store,
    pub(crate) inbox: Inbox,
    pub(crate) ledger: Arc<Ledger>,
    mirror: String,
}

impl<'a> TestCluster<'a> {
    /// Starts everything and returns once every replica is ready.
    pub(crate) async fn start(plan: Plan<'_>, server: &'a mut Server) -> Result<Self, FaultError> {
        fs::create_dir_all(&plan.directory)?;
        let ledger = Arc::new(Ledger::default());
        let inbox = Inbox::start(plan.seed, Arc::clone(&ledger)).await?;
        let client = Client::builder().no_proxy().timeout(READY_TIME_MAX).build()?;
        let (store_name, mirror_name) =
            (format!("log_{}", plan.name), format!("app_{}", plan.name));
        let (mut replicas, mut proxies) = (Vec::new(), Vec::new());
        let (store, mirror);
        match plan.backend {
            Backend::Sqlite => {
                let setup = setup(&plan, 0);
                let file = setup.directory.join("deskbell.db");
                mirror = format!("sqlite://{}", setup.directory.join("clerk.db").display());
                let urls = (format!("sqlite://{}", file.display()), mirror.clone());
                replicas.push(Replica::start(setup, |at| config(at, &urls, &inbox.url()))?);
                store = Store::Sqlite(file);
            }
            Backend::Postgres => {
                server.create_database(&store_name).await?;
                server.create_database(&mirror_name).await?;
                for number in 0..REPLICAS {
                    let proxy = Proxy::start(&server.address().to_string()).await?;
                    let url = |name: &str| server::url(proxy.address(), name);
                    let urls = (url(&store_name), url(&mirror_name));
                    let setup = setup(&plan, number);
                    replicas.push(Replica::start(setup, |at| config(at, &urls, &inbox.url()))?);
                    proxies.push(proxy);
                }
                mirror = server::url(server.address(), &mirror_name);
                store = Store::postgres(&server::url(server.address(), &store_name))?;
            }
        }
        let addresses: Vec<SocketAddr> = replicas.iter().map(Replica::address).collect();
        let balancer = Balancer::start(&addresses, &client).await?;
        let directory = plan.directory;
        let mut cluster = Self {
            directory,
            replicas,
            proxies,
            server,
            balancer,
            client,
            store,
            inbox,
            ledger,
            mirror,
        };
        cluster.become_ready(START_TIME_MAX).await?;
        Ok(cluster)
    }

    /// Returns once every replica says that it is ready; one that has ended will not.
    pub(crate) async fn become_ready(&mut self, time_max: Duration) -> Result<(), FaultError> {
        let started = Instant::now();
        let mut look = looks();
        while started.elapsed() < time_max {
            look.tick().await;
            let mut waiting = Vec::new();
            for replica in &mut self.replicas {
                if let Some(status) = replica.ended()? {
                    let said = format!("{status}, see {}", replica.log_file().display());
                    return Err(FaultError::Program { program: "deskbell serve", said });
                }
                if !is_ready(&self.client, replica.address()).await {
                    waiting.push(replica.name().to_owned());
                }
            }
            if waiting.is_empty() {
                return Ok(());
            }
        }
        let what = "that every replica is ready".to_owned();
        Err(FaultError::TooLate { what, seconds: time_max.as_secs() })
    }

    /// Returns once all that is in the log now has been mirrored and attempted, and says how long that took.
    ///
    /// What the receiver refuses waits for its next attempt: that is its fault, and no part of the time.
    pub(crate) async fn recover(&mut self, time_max: Duration) -> Result<Duration, FaultError> {
        let started = Instant::now();
        let up_to = self.store.progress(0).await?.head;
        self.become_ready(time_max).await?;
        let mut look = looks();
        while started.elapsed() < time_max {
            look.tick().await;
            let progress = self.store.progress(up_to).await?;
            let has_caught_up = progress.routed >= up_to && progress.untried == 0;
            if has_caught_up && self.mirrored().await? >= up_to {
                return Ok(started.elapsed());
            }
        }
        let what = format!("that the replicas caught up with event {up_to}");
        Err(FaultError::TooLate { what, seconds: time_max.as_secs() })
    }

    /// Returns once nothing is left to do; what is left at the time limit.
    pub(crate) async fn settle(&self, time_max: Duration) -> Result<Option<String>, FaultError> {
        let started = Instant::now();
        let mut look = looks();
        loop {
            look.tick().await;
            let progress = self.store.progress(0).await?;
            let mirrored = self.mirrored().await?;
            let Progress { head, routed, pending, .. } = progress;
            if routed >= head && mirrored >= head && pending == 0 {
                return Ok(None);
            }
            if started.elapsed() > time_max {
                return Ok(Some(format!(
                    "after {} s the mirror stands at {mirrored} and the router at {routed} of {head}, \
                     and {pending} deliveries are pending",
                    time_max.as_secs()
                )));
            }
        }
    }

    /// The name of the mirror's database on the server.
    pub(crate) fn mirror_database(&self) -> &str {
        self.mirror.rsplit('/').next().unwrap_or_default()
    }

    /// The rows of the mirror.
    pub(crate) async fn mirror(&self) -> Result<Tables, FaultError> {
        let reader = self.reader().await?;
        let mut tables = Tables::new();
        for table in reader.tables().await? {
            tables.insert(table.name.to_owned(), reader.rows(table.name).await?);
        }
        Ok(tables)
    }

    async fn reader(&self) -> Result<MirrorReader, FaultError> {
        let url = self.mirror.parse().map_err(FaultError::MirrorUrl)?;
        Ok(MirrorReader::open(&url).await?)
    }

    async fn mirrored(&self) -> Result<i64, FaultError> {
        let checkpoint = self.reader().await?.checkpoint(MIRROR).await?;
        Ok(checkpoint.map_or(0, |checkpoint| checkpoint.seq.get()))
    }
}

fn setup(plan: &Plan<'_>, number: usize) -> Setup {
    let name = format!("replica-{number}");
    Setup {
        program: plan.program.to_owned(),
        directory: plan.directory.join(&name),
        faketime: plan.faketime.clone(),
        name,
    }
}

fn config(listen: SocketAddr, (store, mirror): &(String, String), receiver: &str) -> String {
    let (secret, path, receivers) = (load::SECRET, load::PATH, receiver::SECRET);
    format!(
        r#"[server]
listen = "{listen}"

[store]
url = "{store}"

[[source]]
name = "clerk"
path = ["{path}"]
signing_secrets = ["{secret}"]

[[destination]]
name = "{MIRROR}"
type = "database"
url = "{mirror}"
mirror = true

[[destination]]
name = "receiver"
type = "http"
url = "{receiver}"
secret = "{receivers}"
allow_hosts = ["127.0.0.1"]
events = ["*", "email.created", "sms.created"]
timeout = "1s"
retry = {{ schedule = ["1s", "1s"], then_every = "2s" }}
"#
    )
}

fn looks() -> tokio::time::Interval {
    let mut looks = interval(LOOK_INTERVAL);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    looks
}
