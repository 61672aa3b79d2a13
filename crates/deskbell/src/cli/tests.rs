//! What holds of all commands: help, examples, documents, and the pages that are made of them.

use std::fs;
use std::path::Path;

use deskbell_admin::{
    DeadLetterView, DestinationView, EventDetails, EventSummary, Explanation, Retried,
};
use deskbell_devtools::doctor::Report;

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
    let commands = commands_of(&Cli::command(), "deskbell").into_iter();
    for (path, command) in commands {
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
    page.add::<demo::DemoOutput<'_>>("`demo`");
    page.add::<connect::report::ConnectOutput>("`connect`");
    page.add::<backfill::show::BackfillOutput<'_>>("`backfill`");
    page.add::<backfill::dry_run::DryRunOutput<'_>>("`backfill --dry-run`");
    page.add::<backfill::show::EmittedOutput<'_>>("`backfill --emit`");
    page.add::<reconcile::show::ReconcileOutput<'_>>("`reconcile`");
    page.add::<reconcile::messages::MessagesOutput<'_>>("`reconcile --messages`");
    page.add::<Vec<schema::SchemaOutput<'_>>>("`schema print` and `schema diff`");
    page.add::<Vec<schema::AppliedOutput<'_>>>("`schema apply`");
    page.add::<store::migrate::MigratedOutput<'_>>("`store migrate`");
    page.add::<statements::Resumed>("`statements resume`");
    page.add::<tokens::Created<'_>>("`tokens create`");
    page.add::<Vec<tokens::Listed<'_>>>("`tokens list`");
    page.add::<tokens::Revoked<'_>>("`tokens revoke`");
    page.add::<store::backup::Copied>("`store backup`");
    page.add::<init::report::Report>("`init`");
    page.add::<schema::models::PrintedModels<'_>>("`schema print --format`");
    page.add::<Vec<types::TypeOutput>>("`types`");
    page.add::<types::TypeWithFields>("`types TYPE`");
    page.add::<trigger::send::SentOutput<'_>>("`trigger`, a line for each event");
    page.add::<listen::lines::AnswerLine<'_>>("`listen`, a line for each answer");
    page.add::<Report>("`doctor`");
    page.add::<simulate::output::SimulationOutput<'_>>("`simulate`");
    page.add::<exit::ErrorOutput<'_>>("Errors");
    assert_page("json-output.md", &page.finish());
}

/// `README.md`, the skill, and the pages under `docs/`.
fn documents() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let pages = fs::read_dir(root.join("docs")).unwrap().map(|page| page.unwrap().path());
    let others = ["README.md", "llms.txt", "skills/clerk-webhooks-rust/SKILL.md"];
    let pages = pages.chain(others.map(|path| root.join(path)));
    pages.map(|path| fs::read_to_string(path).unwrap()).collect()
}
