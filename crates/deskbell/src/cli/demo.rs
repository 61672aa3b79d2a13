//! `deskbell demo`: the whole way of an event, with what came of it in a short table.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use super::{Context, exit, progress};
use crate::config::DatabaseUrl;
use crate::demo::{Demo, Outcome};

/// How many differences are shown where there are any.
const DIFFERENCES_SHOWN_MAX: usize = 10;
const SENDING: &str = "sending events {bar:40} {pos}/{len} ({per_sec}, {eta} left)";

#[derive(Debug, Args)]
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
    let Arguments { events, seed, .. } = arguments;
    let demo = Demo { events, seed, directory, store, mirror };
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
        && outcome.delivered.undelivered == 0;
    Ok(ExitCode::from(if good { exit::DONE } else { exit::FAILED }))
}

fn print_json(outcome: &Outcome) {
    let report = &outcome.report;
    outln!(
        "{}",
        json!({
            "sent": report.sent,
            "duplicates": report.duplicates,
            "retries": report.retries,
            "acked": report.acked,
            "unacked": report.unacked.len(),
            "acked_per_second": report.acked_per_second,
            "ack_ms_p50": report.ack_ms_p50,
            "ack_ms_p99": report.ack_ms_p99,
            "rows": outcome.rows,
            "drift": outcome.drift.len(),
            "delivered": outcome.delivered.delivered,
            "undelivered": outcome.delivered.undelivered,
            "delivery_attempts": outcome.delivered.attempts,
            "delivery_ms_p50": outcome.delivered.ms_p50,
            "store": shown(&outcome.store),
            "mirror": shown(&outcome.mirror),
        })
    );
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
