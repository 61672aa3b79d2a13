//! Backfill: users a second from a simulated Backend API without a limit into a mirror, and the memory that it takes.
//!
//! PostgreSQL is held against a bare loop of upserts of the same rows in the same pages, with nothing read from anywhere.
//! The API is in a process of its own, so that this one's memory is the backfill's.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use clerk_api::{Client, ClientOptions, RateShare, SecretKey, lists};
use deskbell_config::DatabaseUrl;
use deskbell_sim::INSTANCE_ID;
use deskbell_sim::backend_api::{
    BackendApi, BackendApiOptions, Directory, Fault, LiveWorld, SharedDirectory,
};
use deskbell_sim::{Scenario, World};
use deskbell_store::SqliteStore;
use deskbell_sync::inspect::MirrorReader;
use deskbell_sync::{
    Batch, DatabaseConfig, FetchedFrom, FetchedObject, Fold, Mappings, MirrorOptions, connect,
    entity,
};
use deskbell_trust::{Backfill, BackfillMirror, BackfillProgress, Scope};
use tokio::io::AsyncReadExt;

use crate::bare_upserts::Work;
use crate::error::BenchError;
use crate::mirror::bare;
use crate::process;
use crate::report::{Aim, Report, Row, median};
use crate::store::Backend;

const KEY: &str = "sk_test_SimulatedByDeskbell";
const OF_THE_LIMIT_AIM: f64 = 0.7;
const MEMORY_MB_AIM: f64 = 100.0;
/// Users who are made by events of a simulated world, at most; the others are copies of them.
const USERS_OF_WORLD_MAX: usize = 20_000;
/// Events that make a user, at most.
const EVENTS_OF_A_USER_MAX: usize = 20;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Users that Clerk has
    #[arg(long, default_value_t = 50_000)]
    users: usize,
    /// Rounds of each, in turn; the medians count
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    #[command(flatten)]
    backend: Backend,
}

#[derive(Debug, Args)]
pub(crate) struct ApiOptions {
    /// Users that Clerk has
    #[arg(long)]
    users: usize,
}

/// Serves the API until standard input ends; its address is one line on standard output.
pub(crate) fn serve_api(options: &ApiOptions) -> Result<(), BenchError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let directory = SharedDirectory::default();
        let of_world = options.users.min(USERS_OF_WORLD_MAX);
        let scenario = Scenario::new(1, of_world.saturating_mul(EVENTS_OF_A_USER_MAX));
        let mut world = LiveWorld::new(World::new(&scenario), directory.clone());
        while world.truth().count("users") < of_world && world.next().is_some() {}
        drop(world);
        copy_users(&mut directory.lock(), options.users)?;
        let unlimited =
            BackendApiOptions { requests_max: usize::MAX, ..BackendApiOptions::default() };
        let api = BackendApi::start(unlimited, directory, |_| Fault::None).await?;
        println!("{}", api.url());
        std::io::stdout().flush()?;
        tokio::io::stdin().read_to_end(&mut Vec::new()).await?;
        Ok(())
    })
}

/// Adds copies of the users, under ids of their own, until there are so many.
fn copy_users(directory: &mut Directory, users: usize) -> Result<(), BenchError> {
    let ids = directory.ids("users");
    for (number, original) in (ids.len()..users).zip(ids.iter().cycle()) {
        let json = directory.json("users", original).unwrap_or_default();
        let copy = String::from_utf8_lossy(&json).replace(original, &format!("user_{number:027}"));
        let copy = serde_json::from_str(&copy);
        directory.insert("users", &copy.map_err(|error| BenchError::Config(error.to_string()))?);
    }
    Ok(())
}

/// The API in a process of its own, gone when this is dropped.
struct Api {
    process: Child,
    url: String,
}

impl Api {
    fn start(users: usize) -> Result<Self, BenchError> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("backfill-api").arg("--users").arg(users.to_string());
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut url = String::new();
        if let Some(stdout) = process.stdout.take() {
            BufReader::new(stdout).read_line(&mut url)?;
        }
        Ok(Self { process, url: url.trim().to_owned() })
    }

    fn client(&self) -> Result<Client, BenchError> {
        let key = SecretKey::parse(KEY).map_err(|error| BenchError::Config(error.to_string()))?;
        let share = RateShare::new(1_000_000, Duration::from_secs(1));
        let options = ClientOptions { base_url: self.url.parse()?, ..ClientOptions::default() };
        Client::new(key, share, options).map_err(|error| BenchError::Config(error.to_string()))
    }
}

impl Drop for Api {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub(crate) fn run(options: &Options) -> Result<Report, BenchError> {
    eprintln!("backfill: {} users", options.users);
    let api = Api::start(options.users)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let (mut ours, mut limit) = (Vec::new(), Vec::new());
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    let users = options.users as f64;
    for round in 0..options.rounds.max(1) {
        eprintln!("backfill: round {} of {}", round + 1, options.rounds);
        ours.push(users / runtime.block_on(fill(options, &api))?);
    }
    // Before anything else takes some.
    let memory = process::own_memory_mb_max();
    if options.backend.is_postgres() {
        let works = runtime.block_on(works(&api))?;
        for _ in 0..options.rounds.max(1) {
            limit.push(users / runtime.block_on(bare(&options.backend, &works))?);
        }
    }
    let row =
        |what: &str, name, number| Row { what: what.to_owned(), numbers: vec![(name, number)] };
    let ours = median(ours);
    let mut rows = vec![
        row("users from the API into the mirror", "per_second", ours),
        row("memory of the process, at most", "megabytes", memory),
    ];
    let mut aims = vec![Aim::at_most("memory in MB", MEMORY_MB_AIM, memory)];
    if !limit.is_empty() {
        let limit = median(limit);
        rows.push(row("bare upserts of the same rows in the same pages", "per_second", limit));
        aims.push(Aim::at_least("backfill against bare upserts", OF_THE_LIMIT_AIM, ours / limit));
    }
    let notes = runtime.block_on(options.backend.notes())?;
    Ok(Report::new(options.backend.report_name("backfill"), rows, aims).with_notes(notes))
}

/// Fills a new mirror; the seconds that it takes.
async fn fill(options: &Options, api: &Api) -> Result<f64, BenchError> {
    let database = options.backend.create().await?;
    let directory = tempfile::tempdir()?;
    let store = SqliteStore::open(&directory.path().join("deskbell.db")).await?;
    let url = database.mirror_url();
    let config = DatabaseConfig::at(url.parse().map_err(BenchError::MirrorUrl)?);
    let mirror = MirrorOptions::new("mirror", config);
    let target = connect(&mirror).await?;
    let backfill = Backfill {
        client: api.client()?,
        from: from(),
        log_id: deskbell_store::EventLog::log_id(&store),
        mirrors: vec![BackfillMirror::new(target, &mirror)],
    };
    let progress = BackfillProgress::load(&store).await?;
    let started = Instant::now();
    let done = backfill.run(&["user".to_owned()], Scope::All, &progress).await;
    done.map_err(|error| BenchError::Config(error.to_string()))?;
    let seconds = started.elapsed().as_secs_f64();
    let reader = MirrorReader::open(&url.parse().map_err(BenchError::MirrorUrl)?).await?;
    let rows = reader.tables().await?.into_iter().find(|table| table.name == "users");
    let rows = rows.map_or(0, |table| table.rows);
    if usize::try_from(rows).unwrap_or(0) != options.users {
        return Err(BenchError::Drift { example: format!("{rows} users are in the mirror") });
    }
    Ok(seconds)
}

fn from() -> FetchedFrom {
    FetchedFrom { source: "clerk".into(), instance_id: INSTANCE_ID.to_owned() }
}

/// The same rows in the same pages, ready to be written.
async fn works(api: &Api) -> Result<Vec<Work>, BenchError> {
    let directory = tempfile::tempdir()?;
    let url = DatabaseUrl::sqlite(&directory.path().join("clerk.db"));
    let target = connect(&MirrorOptions::new("mirror", DatabaseConfig::at(url))).await?;
    let mappings = target.mappings();
    let fold = Fold::new(Arc::clone(&mappings), BTreeMap::new());
    let Some(user) = entity::find("user") else { return Ok(Vec::new()) };
    let (mut pages, mut works) = (api.client()?.pages(lists::USERS.walk()), Vec::new());
    let failed = |error: clerk_api::PageError| BenchError::Config(error.to_string());
    while let Some(page) = pages.next().await.map_err(failed)? {
        let objects = page.items.iter();
        let objects: Vec<_> = objects
            .map(|item| FetchedObject { entity: user, json: item.raw.get(), answered_at_ms: 1 })
            .collect();
        works.extend(work_of(&fold.fold_fetched(&from(), &objects), &mappings));
    }
    Ok(works)
}

fn work_of(batch: &Batch, mappings: &Mappings) -> Vec<Work> {
    Work::of(batch, mappings, false)
}
