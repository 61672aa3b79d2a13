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
mod tests {
    use std::fs;
    use std::path::Path;

    use deskbell_admin::{
        DeadLetterView, DestinationView, EventDetails, EventSummary, Explanation, Retried,
    };

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
        let mut count = 0;
        for document in documents() {
            for line in commands(&document) {
                let line = line.replace("cargo run --release -- ", "deskbell ");
                if is_not_yet(&line) {
                    continue;
                }
                if let Err(error) = Cli::try_parse_from(line.split_whitespace()) {
                    panic!("{line}: {error}");
                }
                count += 1;
            }
        }
        assert!(count >= 25, "{count}");
    }

    /// Every command that does something, with its path.
    fn commands_of(command: &clap::Command, path: &str) -> Vec<(String, clap::Command)> {
        let mut found = Vec::new();
        for child in command.get_subcommands() {
            let path = format!("{path} {}", child.get_name());
            if !child.has_subcommands() || !child.is_subcommand_required_set() {
                found.push((path.clone(), child.clone()));
            }
            found.extend(commands_of(child, &path));
        }
        found
    }

    /// The words of a line of an example, up to what is said of it.
    fn words(line: &str) -> Vec<String> {
        let line = line.split("  ").next().unwrap_or(line);
        let (mut words, mut quote) = (vec![String::new()], None);
        for character in line.chars() {
            match (quote, character) {
                (Some(open), close) if open == close => quote = None,
                (None, '\'' | '"') => quote = Some(character),
                (None, '>' | '|') => break,
                (None, ' ') => words.push(String::new()),
                _ => words.last_mut().unwrap().push(character),
            }
        }
        words.retain(|word| !word.is_empty());
        words
    }

    #[test]
    fn every_command_has_examples_that_are_commands() {
        let without = ["deskbell schema", "deskbell types", "deskbell trigger"];
        let commands = commands_of(&Cli::command(), "deskbell").into_iter();
        let has_some = |path: &str| !without.iter().any(|without| path.starts_with(without));
        for (path, command) in commands.filter(|(path, _)| has_some(path)) {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains("Example"), "{path} --help has no examples");
            let joined = help.replace("\\\n    ", "");
            let calls = joined.lines().filter(|line| line.starts_with("  "));
            for call in calls.filter_map(|line| line.rfind("deskbell ").map(|at| &line[at..])) {
                if let Err(error) = Cli::try_parse_from(words(call)) {
                    panic!("{path}: {call}: {error}");
                }
            }
        }
    }

    /// Compares a generated page with its file, or writes it where the snapshots are written too.
    #[expect(clippy::disallowed_methods, reason = "asked as the snapshots are whether to write it")]
    fn assert_page(name: &str, page: &str) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name);
        if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
            fs::write(&path, page).unwrap();
        }
        let written = fs::read_to_string(&path).unwrap_or_default();
        let update = "INSTA_UPDATE=always cargo test -p deskbell";
        assert!(written == page, "docs/{name} is not up to date; write it by: {update}");
    }

    #[test]
    fn the_reference_is_up_to_date() {
        assert_page("reference.md", &reference::page(Cli::command()));
    }

    #[test]
    fn the_page_of_json_output_is_up_to_date() {
        let mut page = json_page::Page::new();
        page.add::<Vec<EventSummary>>("`events list`");
        page.add::<EventDetails>("`events show`");
        page.add::<Explanation>("`explain`");
        page.add::<Vec<DestinationView>>("`destinations`");
        page.add::<destinations::Enabled<'_>>("`destinations enable`");
        page.add::<Vec<DeadLetterView>>("`dead-letters list` and `dead-letters show`");
        page.add::<Retried>("`dead-letters retry`");
        page.add::<replay::Output>("`replay`");
        page.add::<verify::Verified>("`verify`");
        page.add::<config::Checked<'_>>("`config check`");
        page.add::<rebuild::Output<'_>>("`rebuild`");
        page.add::<statements::Resumed>("`statements resume`");
        page.add::<tokens::Created<'_>>("`tokens create`");
        page.add::<Vec<tokens::Listed<'_>>>("`tokens list`");
        page.add::<tokens::Revoked<'_>>("`tokens revoke`");
        page.add::<store::backup::Copied>("`store backup`");
        page.add::<exit::ErrorOutput<'_>>("Errors");
        assert_page("json-output.md", &page.finish());
    }

    /// `README.md` and the pages under `docs/`.
    /// Commands of the skill that are not in the program yet.
    const NOT_YET: [&str; 3] = ["doctor", "init", "listen"];

    fn is_not_yet(line: &str) -> bool {
        line.split_whitespace().nth(1).is_some_and(|name| NOT_YET.contains(&name))
    }

    #[test]
    fn what_is_there_is_not_left_out() {
        for name in NOT_YET {
            assert!(Cli::command().find_subcommand(name).is_none(), "delete {name} from the list");
        }
    }

    /// `README.md`, the skill, and the pages under `docs/`.
    fn documents() -> Vec<String> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let pages = fs::read_dir(root.join("docs")).unwrap().map(|page| page.unwrap().path());
        let others = ["README.md", "llms.txt", "skills/clerk-webhooks-rust/SKILL.md"];
        let pages = pages.chain(others.map(|path| root.join(path)));
        pages.map(|path| fs::read_to_string(path).unwrap()).collect()
    }
}
