//! The command line: one file a command.

#[macro_use]
mod output;

mod backfill;
mod clerk;
mod completions;
mod config;
mod connect;
mod context;
mod dead_letters;
mod demo;
mod destinations;
mod doctor;
mod editor;
mod events;
pub mod exit;
mod exit_code;
mod explain;
mod flag_values;
mod init;
#[cfg(test)]
mod json_page;
mod listen;
mod local_url;
mod logging;
mod man;
mod mcp;
mod named;
mod outcome;
mod progress;
mod rebuild;
mod reconcile;
#[cfg(test)]
mod reference;
mod remote;
mod replay;
mod schema;
mod serve;
mod simulate;
mod statements;
mod store;
mod table;
mod time;
mod tokens;
mod trigger;
mod types;
mod verify;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use context::{Context, environment};
use store::admin_failed;

/// The self-hosted webhook engine for Clerk.
///
/// Verifies Clerk's webhooks, stores every event durably before acknowledging it, keeps a mirror of
/// users, organizations and other entities in your own database, and delivers events to your
/// services.
#[derive(Debug, Parser)]
#[command(name = "deskbell", version, arg_required_else_help = true, max_term_width = 100)]
struct Cli {
    /// The config file [default: deskbell.toml, if it exists].
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print JSON instead of text.
    #[arg(long, global = true)]
    json: bool,
    /// Log more; repeat for even more. DESKBELL_LOG sets filters.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Receive events, keep mirrors and deliver.
    Serve(serve::Arguments),
    /// Run an end-to-end demo against a simulated Clerk.
    Demo(demo::Arguments),
    /// Send a simulated Clerk's events to any webhook handler and check how it does.
    // By far the largest of the arguments.
    Simulate(Box<simulate::Arguments>),
    /// Create or update the endpoint in Clerk's sender, and get its signing secret.
    // Large, as it has a URL.
    Connect(Box<connect::Arguments>),
    /// Write a config and what else a new installation begins with, also for a table that you have already.
    // Large, as it has many flags.
    Init(Box<init::Arguments>),
    /// Check the config, or print its effective values.
    #[command(subcommand)]
    Config(config::Command),
    /// Print, compare or create the mirror's tables.
    #[command(subcommand)]
    Schema(schema::Command),
    /// Rebuild a mirror from the event log, also while `serve` runs.
    Rebuild(rebuild::Arguments),
    /// Fill mirrors with what existed in Clerk before them, also while `serve` runs.
    Backfill(backfill::Arguments),
    /// Compare mirrors with Clerk, and mend what differs.
    Reconcile(reconcile::Arguments),
    /// Resume statements that were paused because the event log was restored or replaced.
    #[command(subcommand)]
    Statements(statements::Command),
    /// List destinations and their status, or re-enable one.
    Destinations(destinations::Arguments),
    /// List events, or show what became of one.
    Events(events::Arguments),
    /// Show the rows of an entity, which event each value came from, and what became of its events.
    Explain(explain::Arguments),
    /// Send events again.
    Replay(replay::Arguments),
    /// List, show or retry rows and deliveries that failed.
    #[command(subcommand)]
    DeadLetters(dead_letters::Command),
    /// Create, list and revoke the tokens of admin routes, also while `serve` runs.
    #[command(subcommand)]
    Tokens(tokens::Command),
    /// Back up the event log, or move it to PostgreSQL.
    #[command(subcommand)]
    Store(store::command::Command),
    /// Send live events on to a handler on this machine, and show what it makes of them.
    Listen(Box<listen::Arguments>),
    /// Verify a captured request, and say which mistake explains a refusal.
    Verify(verify::Arguments),
    /// List the event types that Clerk sends; of one type, print its fields or a sample.
    Types(types::Arguments),
    /// Find out what is wrong with a webhook handler, anybody's or the local server's.
    // Large, as it has a URL.
    Doctor(Box<doctor::Arguments>),
    /// Send signed test events, to the local server by default.
    Trigger(trigger::Arguments),
    /// Serve the event log and these tools to a coding assistant, read-only by default.
    Mcp(mcp::Arguments),
    /// Print a script that completes commands and options in a shell.
    Completions(completions::Arguments),
    /// Write the manual pages.
    Man(man::Arguments),
}

/// Parses the command line, runs the command, and says how it went.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return report_usage(&error),
    };
    let environment = environment();
    let (defaults, _written_at_the_end) = match &cli.command {
        Command::Serve(arguments) => {
            (arguments.log_defaults(), Some(output::never_wait_for_stderr()))
        }
        Command::Demo(_) => (logging::Defaults::Errors, None),
        _ => (logging::Defaults::Faults, None),
    };
    if let Err(error) = logging::start(defaults, cli.verbose, &environment) {
        return exit::Failure::config(error).report(cli.json);
    }
    crate::install_crypto();
    let context = Context { config_file: cli.config, json: cli.json, environment };
    match run(cli.command, &context) {
        Ok(code) => code,
        Err(failure) => failure.report(context.json),
    }
}

/// Says why the command line makes no sense, or what it asks for: help, or the version.
fn report_usage(error: &clap::Error) -> ExitCode {
    // It could not be parsed, and so `--json` is looked for by itself.
    let json = std::env::args_os().any(|argument| argument == "--json");
    if json && error.use_stderr() {
        let text = error.render().to_string();
        let text = text.trim().trim_start_matches("error: ");
        errln!("{}", exit::error_json(text, &[], None, exit::USAGE));
        return ExitCode::from(exit::USAGE);
    }
    let _ = error.print();
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(exit::USAGE))
}

fn run(command: Command, context: &Context) -> Result<ExitCode, exit::Failure> {
    match command {
        Command::Completions(arguments) => Ok(completions::run(&arguments, Cli::command())),
        Command::Man(arguments) => man::run(&arguments, Cli::command()),
        Command::Types(arguments) => types::run(&arguments, context),
        Command::Verify(arguments) => verify::run(&arguments, context),
        Command::Listen(arguments) => on_runtime(listen::run(*arguments, context)),
        Command::Doctor(arguments) => on_runtime(doctor::run(*arguments, context)),
        Command::Connect(arguments) => on_runtime(connect::run(*arguments, context)),
        Command::Init(arguments) => on_runtime(init::run(&arguments, context)),
        Command::Config(command) => on_runtime(config::run(command, context)),
        Command::Schema(command) => on_runtime(schema::run(command, context)),
        Command::Rebuild(arguments) => on_runtime(rebuild::run(arguments, context)),
        Command::Backfill(arguments) => on_runtime(backfill::run(arguments, context)),
        Command::Reconcile(arguments) => on_runtime(reconcile::run(arguments, context)),
        Command::Statements(command) => on_runtime(statements::run(command, context)),
        Command::Destinations(arguments) => on_runtime(destinations::run(arguments, context)),
        Command::Events(arguments) => on_runtime(events::run(arguments, context)),
        Command::Explain(arguments) => on_runtime(explain::run(arguments, context)),
        Command::Replay(arguments) => on_runtime(replay::run(arguments, context)),
        Command::DeadLetters(command) => on_runtime(dead_letters::run(command, context)),
        Command::Tokens(command) => on_runtime(tokens::run(command, context)),
        Command::Store(command) => on_runtime(store::command::run(command, context)),
        Command::Serve(_) => on_runtime(serve::run(context)),
        Command::Demo(arguments) => on_runtime(demo::run(arguments, context)),
        Command::Simulate(arguments) => on_runtime(simulate::run(*arguments, context)),
        Command::Mcp(arguments) => on_runtime(mcp::run(arguments, context)),
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
mod tests;
