//! `deskbell store migrate`: the event log moves to PostgreSQL.

use std::collections::BTreeMap;
use std::process::ExitCode;

use clap::Args;
use deskbell_store::{
    StoreLocation, TransferError, TransferProgress, TransferStep, Transferred, transfer,
};
use indicatif::ProgressBar;
use miette::Diagnostic;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use crate::cli::{Context, exit, progress};
use crate::config::{DatabaseUrl, StoreConfig};

const EXAMPLE: &str = "\
Example:
  deskbell store migrate --from sqlite://deskbell.db --to postgres://deskbell@db.internal/deskbell";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(in crate::cli) struct Arguments {
    /// Current event log: sqlite://FILE. Stop `deskbell serve` first.
    #[arg(long, value_name = "URL")]
    from: String,
    /// New event log: a PostgreSQL database without an event log, or with one that an earlier run of
    /// this command has not finished.
    #[arg(long, value_name = "URL")]
    to: String,
}

#[derive(Debug, thiserror::Error, Diagnostic)]
enum Error {
    #[error("expected --from with a sqlite:// URL and --to with a postgres:// URL")]
    #[diagnostic(help(
        "for example: --from sqlite://deskbell.db --to postgres://USER@HOST/DATABASE"
    ))]
    Direction,
    #[error("cannot move the event log")]
    Transfer(#[from] TransferError),
}

pub(in crate::cli) async fn run(
    arguments: Arguments,
    context: &Context,
) -> Result<ExitCode, exit::Failure> {
    let from = location("--from", &arguments.from)?;
    let to = location("--to", &arguments.to)?;
    let (StoreLocation::Sqlite(from), StoreLocation::Postgres(to)) = (from, to) else {
        return Err(exit::Failure::usage(Error::Direction));
    };
    let bar = progress::bar(0, "{msg} {bar:40} {pos}/{len} rows ({eta} left)", context);
    let transferred = transfer(&from, &to, |progress| show(&bar, progress)).await;
    bar.finish_and_clear();
    let transferred = transferred.map_err(|error| exit::Failure::failed(Error::from(error)))?;
    print(&transferred, context);
    Ok(ExitCode::from(exit::DONE))
}

fn location(flag: &'static str, text: &str) -> Result<StoreLocation, exit::Failure> {
    let url: DatabaseUrl = exit::parse_flag(flag, text)?;
    Ok(StoreConfig { url, ..StoreConfig::default() }.location())
}

fn show(bar: &ProgressBar, progress: TransferProgress) {
    let doing = match progress.step {
        TransferStep::Copy => "copying",
        TransferStep::Compare => "comparing",
    };
    bar.set_message(format!("{doing} {}", progress.table));
    bar.set_length(progress.rows_in_all);
    bar.set_position(progress.rows);
}

/// What `store migrate` has moved.
#[derive(Serialize, JsonSchema)]
pub(in crate::cli) struct MigratedOutput<'a> {
    /// Rows by table, equal on both sides.
    rows: BTreeMap<&'a str, u64>,
}

fn print(transferred: &Transferred, context: &Context) {
    if context.json {
        let rows = transferred.tables.iter().map(|(table, rows)| (*table, *rows));
        outln!("{}", json!(MigratedOutput { rows: rows.collect() }));
        return;
    }
    for (table, rows) in &transferred.tables {
        outln!("{table:20} {rows:>10} rows, equal on both sides");
    }
    outln!(
        "\nNext: set [store] url to the new database and start `deskbell serve`. Keep the old \
            file"
    );
    outln!(
        "until everything works, but never run `deskbell serve` on it again: the two logs would"
    );
    outln!("diverge.");
}
