//! The command line: one file a command.

mod config;
mod demo;
pub mod exit;
mod logging;
mod serve;
mod trigger;
mod types;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::{Config, ConfigError, Environment, Loaded};

/// The self-hosted webhook engine for Clerk.
///
/// It verifies Clerk's webhooks, writes every event down before it acknowledges it, and keeps a
/// mirror of your users, organizations and memberships in your own database.
#[derive(Debug, Parser)]
#[command(name = "deskbell", version, arg_required_else_help = true, max_term_width = 100)]
struct Cli {
    /// The config file [default: deskbell.toml, where there is one].
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print JSON instead of text.
    #[arg(long, global = true)]
    json: bool,
    /// Log more; twice for still more. The variable DESKBELL_LOG takes filters as well.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Receive events, write them down, and keep the mirror.
    Serve,
    /// Show the whole way of an event: a simulated Clerk, the engine, and a mirror without drift.
    Demo(demo::Arguments),
    /// Check the config, or show its effective values.
    #[command(subcommand)]
    Config(config::Command),
    /// List the event types that Clerk sends.
    Types,
    /// Send a signed sample event, by default to the local server.
    Trigger(trigger::Arguments),
}

/// What every command is given.
struct Context {
    config_file: Option<PathBuf>,
    json: bool,
    environment: Environment,
}

impl Context {
    fn load_config(&self) -> Result<Loaded, ConfigError> {
        Config::load(self.config_file.as_deref(), &self.environment)
    }
}

/// Parses the command line, runs the command, and says how it went.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let environment = Environment::Process;
    let usually = match cli.command {
        Command::Serve => logging::Usually::Steps,
        _ => logging::Usually::Faults,
    };
    logging::start(usually, cli.verbose, &environment);
    crate::install_crypto();
    let context = Context { config_file: cli.config, json: cli.json, environment };
    match run(cli.command, &context) {
        Ok(code) => code,
        Err(failure) => failure.report(),
    }
}

fn run(command: Command, context: &Context) -> Result<ExitCode, exit::Failure> {
    match command {
        Command::Types => types::run(context),
        Command::Config(command) => config::run(command, context),
        Command::Serve => on_runtime(serve::run(context)),
        Command::Demo(arguments) => on_runtime(demo::run(arguments, context)),
        Command::Trigger(arguments) => on_runtime(trigger::run(arguments, context)),
    }
}

fn on_runtime(
    command: impl Future<Output = Result<ExitCode, exit::Failure>>,
) -> Result<ExitCode, exit::Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(exit::Failure::failed)?
        .block_on(command)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    /// The lines of the document's shell blocks that call the program.
    fn commands(document: &str) -> Vec<&str> {
        let blocks = document.split("```sh\n").skip(1);
        blocks
            .filter_map(|block| block.split("```").next())
            .flat_map(str::lines)
            .map(|line| line.split(" #").next().unwrap_or(line).trim())
            .filter(|line| line.starts_with("deskbell ") || line.contains("release -- "))
            .collect()
    }

    #[test]
    fn every_command_in_the_documents_is_one() {
        let found = commands(include_str!("../../../../README.md"));
        assert!(found.len() >= 3, "{found:?}");
        for line in found {
            let line = line.replace("cargo run --release -- ", "deskbell ");
            if let Err(error) = Cli::try_parse_from(line.split_whitespace()) {
                panic!("{line}: {error}");
            }
        }
    }
}
