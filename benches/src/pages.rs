//! The admin API and the dashboard on a log of ten million events: every list, from the request to the
//! first byte of the answer and to its last.

use std::fs;
use std::time::{Duration, Instant};

use clap::Args;
use deskbell::config::{Config, Environment};
use deskbell::{Engine, install_crypto};
use deskbell_store::deliveries::StartFrom;
use reqwest::Client;

use crate::deliveries;
use crate::error::BenchError;
use crate::history;
use crate::location::Location;
use crate::report::{Aim, Report, Row, median};
use crate::store::Backend;

/// Until the last byte of a list.
const P95_AIM_MS: f64 = 100.0;
/// Until the first byte of a page.
const FIRST_BYTE_AIM_MS: f64 = 50.0;
/// A search for a text may look for 300 ms.
const TEXT_AIM_MS: f64 = 350.0;
const TOKEN: &str = "the-admin-token-of-the-benchmark-of-pages";
const DESTINATION: &str = "receiver";
/// Subjects that PostgreSQL indexes in one statement, which has a time limit; SQLite has none, and is
/// fastest with all of them.
const INDEXED_AT_ONCE: u32 = 50_000;
const TIMEOUT: Duration = Duration::from_secs(30);

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Events of 100 bytes in the log
    #[arg(long, default_value_t = 10_000_000)]
    events: i64,
    /// The newest of them are delivered, with an attempt each; one in a thousand failed permanently
    #[arg(long, default_value_t = 1_000_000)]
    delivered: i64,
    /// Requests of each kind
    #[arg(long, default_value_t = 60)]
    requests: usize,
    #[command(flatten)]
    backend: Backend,
}

/// What is asked for, and how long that may take.
struct Asked {
    path: String,
    p95_aim_ms: f64,
    first_byte_aim_ms: Option<f64>,
}

/// Milliseconds of the requests for one path.
struct Took {
    first_byte: Vec<f64>,
    last_byte: Vec<f64>,
}

pub(crate) fn run(options: &Options) -> Result<Report, BenchError> {
    install_crypto();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(measure_all(options))
}

async fn measure_all(options: &Options) -> Result<Report, BenchError> {
    let fresh = options.backend.create().await?;
    let location = fresh.location();
    eprintln!("pages: writing a log of {} events", options.events);
    fill(&location, options).await?;
    let engine = Engine::start(&config(&location)?).await?;
    let client = Client::builder().timeout(TIMEOUT).build()?;
    let base = format!("http://{}", engine.address());
    let (mut rows, mut aims) = (Vec::new(), Vec::new());
    for asked in asked(options.events) {
        let took = measure(&client, &base, &asked.path, options.requests).await?;
        let p95 = percentile(&took.last_byte, 95);
        rows.push(Row {
            what: asked.path.clone(),
            numbers: vec![
                ("first_byte_p95_ms", percentile(&took.first_byte, 95)),
                ("p50_ms", median(took.last_byte)),
                ("p95_ms", p95),
            ],
        });
        aims.push(Aim::at_most(format!("p95_ms {}", asked.path), asked.p95_aim_ms, p95));
        if let Some(aim) = asked.first_byte_aim_ms {
            let reached = percentile(&took.first_byte, 95);
            aims.push(Aim::at_most(format!("first_byte_p95_ms {}", asked.path), aim, reached));
        }
    }
    engine.stop().await?;
    let name = options.backend.report_name("pages");
    let note = format!("{} events, {} delivered", options.events, options.delivered);
    let notes = options.backend.notes().await?;
    Ok(Report::new(name, rows, aims).with_note(note).with_notes(notes))
}

async fn fill(location: &Location, options: &Options) -> Result<(), BenchError> {
    let store = location.open().await?;
    deliveries::register(&*store, DESTINATION, StartFrom::Beginning).await?;
    store.close().await;
    history::fill(location, options.events).await?;
    history::settle(location, options.events - options.delivered).await?;
    eprintln!("pages: indexing subjects");
    let store = location.open().await?;
    let at_once = match location {
        Location::Sqlite(_) => u32::MAX,
        Location::Postgres(_) => INDEXED_AT_ONCE,
    };
    while store.index_subjects(at_once).await?.more {}
    store.close().await;
    Ok(())
}

/// What `deskbell serve` would read from a file. The events are of long ago, and stay.
fn config(location: &Location) -> Result<Config, BenchError> {
    let directory = tempfile::tempdir()?;
    let file = directory.path().join("deskbell.toml");
    let url = match location {
        Location::Sqlite(path) => format!("sqlite://{}", path.display()),
        Location::Postgres(url) => url.clone(),
    };
    let text = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\nadmin_token = \"{TOKEN}\"\n\n\
         [store]\nurl = \"{url}\"\n\
         retention = {{ payloads = \"9999d\", events = \"9999d\", attempts = \"9999d\" }}\n\n\
         [[source]]\nname = \"clerk\"\nsigning_secrets = [\"{}\"]\n\n\
         [[destination]]\nname = \"{DESTINATION}\"\ntype = \"http\"\n\
         url = \"http://127.0.0.1:9/\"\nallow_hosts = [\"127.0.0.1\"]\nsecret = \"{}\"\n",
        crate::endpoint::SECRET,
        crate::endpoint::SECRET,
    );
    fs::write(&file, text)?;
    Ok(Config::load(Some(&file), &Environment::Process)?.config)
}

/// Every list, on its first page, by each filter, and deep in the log.
fn asked(events: i64) -> Vec<Asked> {
    let middle = events / 2;
    let (id, subject) = (history::message_id(middle), history::subject(middle, events));
    let list = |path: String| Asked {
        path: format!("/api/v1/{path}"),
        p95_aim_ms: P95_AIM_MS,
        first_byte_aim_ms: None,
    };
    let page = |path: String| Asked {
        path: format!("/dashboard{path}"),
        p95_aim_ms: P95_AIM_MS,
        first_byte_aim_ms: Some(FIRST_BYTE_AIM_MS),
    };
    let text = Asked {
        path: "/api/v1/events?limit=50&text=nowhere".to_owned(),
        p95_aim_ms: TEXT_AIM_MS,
        first_byte_aim_ms: None,
    };
    lists(middle, &id, &subject)
        .into_iter()
        .map(list)
        .chain(pages(middle, &id, &subject).into_iter().map(page))
        .chain([text])
        .collect()
}

/// Of the API, by their paths.
fn lists(middle: i64, id: &str, subject: &str) -> Vec<String> {
    vec![
        "overview".to_owned(),
        "alerts".to_owned(),
        "events?limit=50".to_owned(),
        format!("events?limit=50&before={middle}"),
        "events?limit=50&type=user.*".to_owned(),
        "events?limit=50&type=user.deleted".to_owned(),
        format!("events?limit=50&subject={subject}"),
        format!("events?message_id={id}"),
        "events?limit=50&state=dead_lettered".to_owned(),
        "events?limit=50&state=pending".to_owned(),
        "events?limit=50&since=2026-01-01T01:00:00Z&until=2026-01-01T01:10:00Z".to_owned(),
        format!("events/{id}"),
        format!("subjects/{subject}/events"),
        format!("explain/{subject}"),
        "destinations".to_owned(),
        format!("destinations/{DESTINATION}"),
        format!("destinations/{DESTINATION}/attempts"),
        format!(
            "destinations/{DESTINATION}/stats?since=2026-01-01T00:00:00Z&until=2026-01-02T00:00:00Z"
        ),
        "mirrors".to_owned(),
        "dead-letters".to_owned(),
        "dead-letters/causes".to_owned(),
        "audit".to_owned(),
        "catalog".to_owned(),
        "settings".to_owned(),
        "tokens".to_owned(),
        "app".to_owned(),
        "app/clerk/msg?limit=50".to_owned(),
        "app/clerk/endpoint".to_owned(),
        format!("app/clerk/attempt/endpoint/{DESTINATION}?limit=50"),
        format!("app/clerk/attempt/endpoint/{DESTINATION}?limit=50&status=2"),
        format!("app/clerk/endpoint/{DESTINATION}/msg"),
        format!("app/clerk/endpoint/{DESTINATION}/stats"),
        "event-type".to_owned(),
    ]
}

/// Of the dashboard, by their paths.
fn pages(middle: i64, id: &str, subject: &str) -> Vec<String> {
    vec![
        String::new(),
        "/events".to_owned(),
        format!("/events?before={middle}"),
        "/events?type=user.deleted".to_owned(),
        "/events?state=dead_lettered".to_owned(),
        format!("/events?subject={subject}"),
        format!("/events/clerk/{id}"),
        format!("/subjects/{subject}"),
        "/destinations".to_owned(),
        format!("/destinations/{DESTINATION}"),
        "/dead-letters".to_owned(),
        "/catalog".to_owned(),
        "/catalog/user.created".to_owned(),
        "/settings".to_owned(),
        "/settings/audit".to_owned(),
    ]
}

/// One after the other; the first one does not count.
async fn measure(
    client: &Client,
    base: &str,
    path: &str,
    requests: usize,
) -> Result<Took, BenchError> {
    let mut took = Took { first_byte: Vec::new(), last_byte: Vec::new() };
    for number in 0..=requests {
        let started = Instant::now();
        let reply = client.get(format!("{base}{path}")).bearer_auth(TOKEN).send().await?;
        let first_byte = ms_since(started);
        let status = reply.status();
        reply.bytes().await?;
        if !status.is_success() {
            return Err(BenchError::Answer { path: path.to_owned(), status: status.as_u16() });
        }
        if number > 0 {
            took.first_byte.push(first_byte);
            took.last_byte.push(ms_since(started));
        }
    }
    Ok(took)
}

fn ms_since(started: Instant) -> f64 {
    started.elapsed().as_secs_f64() * 1e3
}

/// The smallest number that so many of a hundred do not exceed.
fn percentile(numbers: &[f64], percent: usize) -> f64 {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(rank).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_one_of_the_numbers() {
        let numbers: Vec<f64> = (1..=20).map(f64::from).collect();
        assert!((percentile(&numbers, 95) - 19.0).abs() < 1e-9);
        assert!((percentile(&[7.0], 95) - 7.0).abs() < 1e-9);
    }
}
