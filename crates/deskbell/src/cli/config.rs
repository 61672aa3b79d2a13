//! `deskbell config check` and `deskbell config show`.

use std::process::ExitCode;

use clap::Subcommand;
use schemars::JsonSchema;
use serde::Serialize;

use super::{Context, exit};
use crate::config::Loaded;
use crate::engine;
use crate::{StartError, check_databases, check_destinations};

/// What `config check --json` prints where the config is valid.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "CheckedConfig")]
pub(super) struct Checked<'a> {
    /// Always `true`: a mistake is an error.
    ok: bool,
    /// The config file; `null` where there is none.
    file: Option<String>,
    /// What is probably not as it was meant, and what is left out for want of a secret.
    warnings: &'a [String],
}

const CHECK_EXAMPLE: &str = "\
Examples:
  deskbell config check                            without its databases, as in CI
  deskbell config check --live --config /etc/deskbell.toml";

const SHOW_EXAMPLE: &str = "\
Example:
  deskbell config show --json";

#[derive(Debug, Clone, Copy, Subcommand)]
pub(super) enum Command {
    /// Check the config, by default without opening its databases.
    #[command(after_help = CHECK_EXAMPLE)]
    Check {
        /// Also check the enabled destinations of type `database` against their databases, without
        /// changing these: tables, columns, indexes and statements
        #[arg(long)]
        live: bool,
    },
    /// Print the effective values, with secrets redacted.
    #[command(after_help = SHOW_EXAMPLE)]
    Show,
}

pub(super) async fn run(command: Command, context: &Context) -> Result<ExitCode, exit::Failure> {
    let mut loaded = match command {
        Command::Check { live: false } => context.load_to_check()?,
        Command::Check { live: true } | Command::Show => context.load_config()?,
    };
    loaded.warnings.extend(loaded.left_out.iter().cloned());
    if matches!(command, Command::Check { .. }) {
        engine::routes::certificate(&loaded.config).map_err(exit::Failure::start)?;
        let warnings = check_destinations(&loaded.config).map_err(exit::Failure::start)?;
        loaded.warnings.extend(warnings);
    }
    for warning in &loaded.warnings {
        errln!("warning: {warning}");
    }
    for note in context.environment.notes() {
        errln!("note: {note}");
    }
    if matches!(command, Command::Check { live: true }) {
        check_live(&loaded, context).await?;
    }
    match command {
        Command::Check { .. } => check(&loaded, context),
        Command::Show => show(&loaded, context)?,
    }
    Ok(ExitCode::from(exit::DONE))
}

/// Prints what each destination's database lacks; the last one ends the command. A config that does not
/// fit goes before a database that is away.
async fn check_live(loaded: &Loaded, context: &Context) -> Result<(), exit::Failure> {
    let mut errors = check_databases(&loaded.config).await;
    errors.sort_by_key(StartError::is_config_error);
    let Some(last) = errors.pop() else { return Ok(()) };
    for error in errors {
        exit::Failure::start(error).report(context.json);
    }
    Err(exit::Failure::start(last))
}

fn check(loaded: &Loaded, context: &Context) {
    let file = loaded.file.as_ref().map(|file| file.display().to_string());
    if context.json {
        outln!("{}", serde_json::json!(Checked { ok: true, file, warnings: &loaded.warnings }));
        return;
    }
    match file {
        Some(file) => outln!("{file} is valid"),
        None => outln!("no deskbell.toml found; the defaults are valid"),
    }
}

fn show(loaded: &Loaded, context: &Context) -> Result<(), exit::Failure> {
    let text = if context.json {
        serde_json::to_string_pretty(&loaded.config).map_err(exit::Failure::failed)?
    } else {
        toml::to_string_pretty(&loaded.config).map_err(exit::Failure::failed)?
    };
    outln!("{}", text.trim_end());
    Ok(())
}
