//! `deskbell store backup`: a copy of the event log, also while the engine runs.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use deskbell_store::{Backup, SqliteStore};
use miette::Diagnostic;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use crate::cli::{Context, exit};
use crate::config::DatabaseUrl;

/// What `store backup --json` prints.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Backup")]
pub(in crate::cli) struct Copied {
    /// File of the copy.
    file: String,
    bytes: u64,
    /// Number of the last event in it.
    last_seq: i64,
}

const EXAMPLE: &str = "\
Example:
  deskbell store backup backups/deskbell-2026-11-21.db";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(in crate::cli) struct Arguments {
    /// File of the copy, which must not exist yet.
    file: PathBuf,
}

#[derive(Debug, thiserror::Error, Diagnostic)]
#[error("the event log is in PostgreSQL; use pg_dump to back it up")]
#[diagnostic(help("pg_dump --schema deskbell --format custom --file FILE URL"))]
struct InPostgres;

pub(in crate::cli) async fn run(
    arguments: Arguments,
    context: &Context,
) -> Result<ExitCode, exit::Failure> {
    let Arguments { file } = arguments;
    let config = context.load_without_secrets()?;
    let DatabaseUrl::Sqlite(url) = &config.store.url else {
        return Err(exit::Failure::usage(InPostgres));
    };
    let Backup { bytes, last } =
        SqliteStore::backup(url.path(), &file).await.map_err(exit::Failure::failed)?;
    let (name, last) = (file.display().to_string(), last.get());
    if context.json {
        outln!("{}", json!(Copied { file: name, bytes, last_seq: last }));
    } else {
        outln!("copied the event log up to event {last} to {name}: {bytes} bytes");
    }
    Ok(ExitCode::from(exit::DONE))
}
