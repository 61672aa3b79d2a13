//! `deskbell demo`: the whole way of an event, with what came of it in a short table.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::{Context, exit};
use crate::demo::{Demo, Outcome};

/// How many differences are shown where there are any.
const DIFFERENCES_SHOWN_MAX: usize = 10;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// How many events the simulated Clerk sends.
    #[arg(long, default_value_t = 20_000, value_name = "N")]
    events: usize,
    /// Makes the same events again.
    #[arg(long, default_value_t = 1, value_name = "S")]
    seed: u64,
    /// Where to put the databases [default: a fresh temporary directory].
    #[arg(long)]
    dir: Option<PathBuf>,
}

pub(super) async fn run(
    arguments: Arguments,
    context: &Context,
) -> Result<ExitCode, exit::Failure> {
    let directory = match arguments.dir {
        Some(directory) => directory,
        None => {
            let fresh = tempfile::Builder::new().prefix("deskbell-demo-").tempdir();
            fresh.map_err(exit::Failure::failed)?.keep()
        }
    };
    let demo = Demo { events: arguments.events, seed: arguments.seed, directory };
    let bar = progress_bar(demo.events, context);
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
    let good = outcome.drift.is_empty() && outcome.report.unacked.is_empty();
    Ok(ExitCode::from(if good { exit::DONE } else { exit::FAILED }))
}

/// Drawn on stderr, and only on a terminal.
fn progress_bar(events: usize, context: &Context) -> ProgressBar {
    if context.json {
        return ProgressBar::hidden();
    }
    let style =
        ProgressStyle::with_template("sending events {bar:40} {pos}/{len} ({per_sec}, {eta} left)")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::new(events as u64).with_style(style);
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

fn print_json(outcome: &Outcome) {
    let report = &outcome.report;
    println!(
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
            "store": outcome.store,
            "mirror": outcome.mirror,
        })
    );
}

fn print_table(demo: &Demo, outcome: &Outcome) {
    let report = &outcome.report;
    println!("events sent            {:>10}   seed {}", report.sent, demo.seed);
    println!("sent again             {:>10}   duplicates, with the same id", report.duplicates);
    println!("acknowledged           {:>10}   each durable before its 200", report.acked);
    println!("acks a second          {:>10.0}", report.acked_per_second);
    println!("ack latency, p50       {:>10.1} ms", report.ack_ms_p50);
    println!("ack latency, p99       {:>10.1} ms", report.ack_ms_p99);
    println!();
    for (table, rows) in &outcome.rows {
        println!("{table:32} {rows:>8} rows");
    }
    println!();
    println!(
        "drift                  {:>10}   entities that differ from Clerk's truth",
        outcome.drift.len()
    );
    for difference in outcome.drift.iter().take(DIFFERENCES_SHOWN_MAX) {
        println!("  {difference}");
    }
    println!();
    println!("the event log is in    {}", outcome.store.display());
    println!("the mirror is in       {}", outcome.mirror.display());
    println!(
        "look at it:            sqlite3 {} 'select id, primary_email_address from clerk_users limit 5'",
        outcome.mirror.display()
    );
}
