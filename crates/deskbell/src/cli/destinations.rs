//! `deskbell destinations`: their status, and sending to a disabled one again.

mod row;

use std::process::ExitCode;

use clap::{Args, Subcommand};
use deskbell_store::clock;
use deskbell_store::{Seq, Store, StoreError};
use deskbell_trust::{ReconcileState, read_reconcile_state};
use serde_json::{Value, json};

use self::row::Row;
use super::{Context, exit, named, store, table};
use crate::command_runner::{Answer, Request};
use crate::config::Config;
use crate::outcomes::mirrors;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List destinations and their status (the default).
    List,
    /// Re-enable a destination that was disabled because it kept failing.
    Enable {
        /// Name of the destination.
        name: String,
    },
}

pub(super) async fn run(
    arguments: Arguments,
    context: &Context,
) -> Result<ExitCode, exit::Failure> {
    match arguments.command {
        None | Some(Command::List) => list(&context.load_to_read()?, context).await?,
        Some(Command::Enable { name }) => {
            enable(&name, &context.load_without_secrets()?, context).await?;
        }
    }
    Ok(ExitCode::from(exit::DONE))
}

async fn list(config: &Config, context: &Context) -> Result<(), exit::Failure> {
    let store = store::to_read_if_there(config).await?;
    let rows = match &store {
        Some(store) => rows(config, &**store).await.map_err(store::failed_to_read),
        None => {
            let nothing = ReconcileState::default();
            Ok((row::all(config, Vec::new(), &[], Vec::new(), &nothing), Seq::ZERO))
        }
    };
    if let Some(store) = store {
        store.close().await;
    }
    let (rows, head) = rows?;
    let now_ms = clock::now_ms();
    if context.json {
        let all = rows.iter().map(|row| row.json(head, now_ms));
        outln!("{:#}", Value::Array(all.collect()));
        return Ok(());
    }
    let heads =
        ["NAME", "TYPE", "ENABLED", "ROUTED", "PENDING", "WAITING", "DEAD", "OLDEST", "STATE"];
    table::print(heads, rows.iter().map(|row| row.cells(head, now_ms)));
    for comparison in rows.iter().filter_map(|row| row.comparison(now_ms)) {
        outln!("{comparison}");
    }
    Ok(())
}

async fn rows(config: &Config, store: &dyn Store) -> Result<(Vec<Row>, Seq), StoreError> {
    let states = store.destinations().await?;
    let backlogs = store.backlogs().await?;
    let mirrors = mirrors::reports(config, store).await?;
    let compared = read_reconcile_state(store).await?.unwrap_or_default();
    Ok((row::all(config, states, &backlogs, mirrors, &compared), store.head().await?))
}

async fn enable(name: &str, config: &Config, context: &Context) -> Result<(), exit::Failure> {
    let store = store::to_read(config).await?;
    let known = named::require_started(name, config, &*store).await;
    store.close().await;
    known?;
    let request = Request::Enable { destination: name.to_owned() };
    let done = store::execute(config, request).await?;
    if done.answer != Answer::Enabled {
        return Err(store::unexpected(&done.answer));
    }
    if context.json {
        outln!("{}", json!({ "destination": name, "enabled": true }));
    } else if done.by_serve {
        outln!("{name} re-enabled");
    } else {
        outln!("{name} re-enabled; deliveries start when `deskbell serve` runs");
    }
    Ok(())
}
