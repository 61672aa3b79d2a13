//! `deskbell config check` and `deskbell config show`.

use std::process::ExitCode;

use clap::Subcommand;

use super::{Context, exit};
use crate::check_destinations;
use crate::config::Loaded;

#[derive(Debug, Clone, Copy, Subcommand)]
pub(super) enum Command {
    /// Read the config as `serve` would, and say whether it holds.
    Check,
    /// Print the effective values, secrets redacted.
    Show,
}

pub(super) fn run(command: Command, context: &Context) -> Result<ExitCode, exit::Failure> {
    let mut loaded = context.load_config()?;
    if matches!(command, Command::Check) {
        let warnings = check_destinations(&loaded.config).map_err(exit::Failure::start)?;
        loaded.warnings.extend(warnings);
    }
    for warning in &loaded.warnings {
        eprintln!("warning: {warning}");
    }
    match command {
        Command::Check => check(&loaded, context),
        Command::Show => show(&loaded, context)?,
    }
    Ok(ExitCode::from(exit::DONE))
}

fn check(loaded: &Loaded, context: &Context) {
    let file = loaded.file.as_ref().map(|file| file.display().to_string());
    if context.json {
        println!(
            "{}",
            serde_json::json!({ "ok": true, "file": file, "warnings": loaded.warnings })
        );
        return;
    }
    match file {
        Some(file) => println!("{file} is good"),
        None => println!("there is no deskbell.toml; the defaults are good"),
    }
}

fn show(loaded: &Loaded, context: &Context) -> Result<(), exit::Failure> {
    let text = if context.json {
        serde_json::to_string_pretty(&loaded.config).map_err(exit::Failure::failed)?
    } else {
        toml::to_string_pretty(&loaded.config).map_err(exit::Failure::failed)?
    };
    println!("{}", text.trim_end());
    Ok(())
}
