//! `deskbell demo`: the whole way of an event, with what came of it in a short table.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use super::{Context, exit, progress};
use crate::config::DatabaseUrl;
use crate::demo::{Demo, HistoryOutcome, Outcome};

const EXAMPLE: &str = "\
Examples:
  deskbell demo                                    20,000 events, in a new directory
  deskbell demo --events 2000 --with-history 500 --dir demo";

/// How many differences are shown where there are any.
const DIFFERENCES_SHOWN_MAX: usize = 10;
const SENDING: &str = "sending events {bar:40} {pos}/{len} ({per_sec}, {eta} left)";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct Arguments {
    /// Number of events that the simulated Clerk sends.
    #[arg(long, default_value_t = 20_000, value_name = "N")]
    events: usize,
    /// Seed of the random events; the same seed makes the same events.
    #[arg(long, default_value_t = 1, value_name = "S")]
    seed: u64,
    /// Directory of the databases [default: a new temporary directory].
    #[arg(long)]
    dir: Option<PathBuf>,
    /// Database of the event log, PostgreSQL or SQLite, without an event log yet
    /// [default: a SQLite file in the directory].
    #[arg(long, value_name = "URL")]
    store: Option<String>,
    /// Database of the mirror, PostgreSQL or SQLite, without a mirror yet
    /// [default: a SQLite file in the directory].
    #[arg(long, value_name = "URL")]
    mirror: Option<String>,
    /// Begin with N users from before, connect to the simulated sender, fill the mirror beside live
    /// events, lose some of them, and recover.
    #[arg(long, value_name = "N")]
    with_history: Option<usize>,
}

pub(super) async fn run(
    arguments: Arguments,
    context: &Context,
) -> Result<ExitCode, exit::Failure> {
    let url = |flag, text: Option<&String>| {
        text.map(|text| exit::parse_flag::<DatabaseUrl>(flag, text)).transpose()
    };
    let store = url("--store", arguments.store.as_ref())?;
    let mirror = url("--mirror", arguments.mirror.as_ref())?;
    let directory = match arguments.dir {
        Some(directory) => directory,
        None => {
            let fresh = tempfile::Builder::new().prefix("deskbell-demo-").tempdir();
            fresh.map_err(exit::Failure::failed)?.keep()
        }
    };
    let Arguments { events, seed, with_history, .. } = arguments;
    let demo = Demo { events, seed, directory, store, mirror, with_history };
    let bar = progress::bar(demo.events, SENDING, context);
    let outcome = demo
        .run(|progress| bar.set_position(progress.sent))
        .await
        .map_err(exit::Failure::failed)?;
    bar.finish_and_clear();
    if context.json {
        print_json(&outcome);
    } else {
        print_table(&demo, &outcome);
    }
    let good = outcome.drift.is_empty()
        && outcome.report.unacked.is_empty()
        && outcome.delivered.undelivered == 0
        && outcome.history.is_none_or(|history| history.messages_missing == 0);
    Ok(ExitCode::from(if good { exit::DONE } else { exit::FAILED }))
}

/// How the demo went.
#[derive(Serialize, JsonSchema)]
pub(super) struct DemoOutput<'a> {
    /// Messages.
    sent: u64,
    /// Deliveries of a message beyond its first.
    duplicates: u64,
    /// Attempts after a failed one.
    retries: u64,
    acked: u64,
    /// Messages that were never acknowledged.
    unacked: usize,
    acked_per_second: f64,
    ack_ms_p50: f64,
    ack_ms_p99: f64,
    /// Rows of the mirror, by table.
    rows: &'a BTreeMap<String, usize>,
    /// Entities that differ from the simulated Clerk's.
    drift: usize,
    delivered: usize,
    undelivered: usize,
    delivery_attempts: u64,
    delivery_ms_p50: f64,
    /// The file or the address of the event log.
    store: String,
    mirror: String,
    /// Users from before; this and what follows only with `--with-history`.
    #[serde(skip_serializing_if = "Option::is_none")]
    history: Option<usize>,
    /// Objects that were read from the API.
    #[serde(skip_serializing_if = "Option::is_none")]
    backfilled: Option<u64>,
    /// Messages that were lost on purpose.
    #[serde(skip_serializing_if = "Option::is_none")]
    lost: Option<usize>,
    /// Differences that a comparison repaired.
    #[serde(skip_serializing_if = "Option::is_none")]
    repaired: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    messages_missing: Option<u64>,
}

fn print_json(outcome: &Outcome) {
    let report = &outcome.report;
    let history = outcome.history;
    let output = DemoOutput {
        sent: report.sent,
        duplicates: report.duplicates,
        retries: report.retries,
        acked: report.acked,
        unacked: report.unacked.len(),
        acked_per_second: report.acked_per_second,
        ack_ms_p50: report.ack_ms_p50,
        ack_ms_p99: report.ack_ms_p99,
        rows: &outcome.rows,
        drift: outcome.drift.len(),
        delivered: outcome.delivered.delivered,
        undelivered: outcome.delivered.undelivered,
        delivery_attempts: outcome.delivered.attempts,
        delivery_ms_p50: outcome.delivered.ms_p50,
        store: shown(&outcome.store),
        mirror: shown(&outcome.mirror),
        history: history.map(|history| history.history),
        backfilled: history.map(|history| history.backfilled),
        lost: history.map(|history| history.lost),
        repaired: history.map(|history| history.repaired),
        messages_missing: history.map(|history| history.messages_missing),
    };
    outln!("{}", json!(output));
}

fn print_history(history: HistoryOutcome, received: usize) {
    let HistoryOutcome { history, backfilled, lost, repaired, messages_missing } = history;
    outln!("users from before      {history:>10}   of whom no event tells");
    outln!(
        "backfilled             {backfilled:>10}   objects read from the API beside live events"
    );
    outln!(
        "lost on purpose        {lost:>10}   messages that the sender has, and Deskbell had not"
    );
    outln!("repaired               {repaired:>10}   differences found by comparing with the API");
    match messages_missing {
        0 => outln!("messages               {received:>10}   all {received} messages received"),
        _ => outln!("messages missing       {messages_missing:>10}"),
    }
    outln!();
}

/// A file's path, or a server's address without its password.
fn shown(url: &DatabaseUrl) -> String {
    match url {
        DatabaseUrl::Sqlite(file) => file.path().display().to_string(),
        DatabaseUrl::Postgres(url) => url.to_string(),
    }
}

fn print_table(demo: &Demo, outcome: &Outcome) {
    let (report, delivered) = (&outcome.report, &outcome.delivered);
    outln!("events sent            {:>10}   seed {}", report.sent, demo.seed);
    outln!("sent again             {:>10}   duplicates, with the same id", report.duplicates);
    outln!("acknowledged           {:>10}   each stored durably before its 200", report.acked);
    outln!("acks per second        {:>10.0}", report.acked_per_second);
    outln!("ack latency, p50       {:>10.1} ms", report.ack_ms_p50);
    outln!("ack latency, p99       {:>10.1} ms", report.ack_ms_p99);
    outln!();
    if let Some(history) = outcome.history {
        let sent = usize::try_from(report.sent).unwrap_or(usize::MAX);
        print_history(history, sent.saturating_add(history.lost));
    }
    for (table, rows) in outcome.rows.iter().filter(|(_, rows)| **rows > 0) {
        outln!("{table:32} {rows:>8} rows");
    }
    outln!();
    outln!(
        "drift                  {:>10}   entities that differ from the simulated Clerk's",
        outcome.drift.len()
    );
    for difference in outcome.drift.iter().take(DIFFERENCES_SHOWN_MAX) {
        outln!("  {difference}");
    }
    outln!(
        "delivered              {:>10}   accepted by a flaky receiver, with valid signatures",
        delivered.delivered
    );
    outln!(
        "delivery attempts      {:>10}   the receiver rejected some and broke connections",
        delivered.attempts
    );
    outln!(
        "delivery latency, p50  {:>10.1} ms   from the acknowledgement to the first arrival",
        delivered.ms_p50
    );
    outln!("undelivered            {:>10}", delivered.undelivered);
    outln!();
    outln!("event log              {}", shown(&outcome.store));
    print_where_to_look(&outcome.mirror);
}

fn print_where_to_look(mirror: &DatabaseUrl) {
    let query = |table| format!("'select id, primary_email_address from {table} limit 5'");
    match mirror {
        DatabaseUrl::Sqlite(file) => {
            let file = file.path().display();
            outln!("mirror                 {file}");
            outln!("look at it             sqlite3 {file} {}", query("clerk_users"));
        }
        DatabaseUrl::Postgres(url) => {
            outln!("mirror                 {url}");
            outln!("look at it             psql '{url}' -c {}", query("clerk.users"));
        }
    }
}
