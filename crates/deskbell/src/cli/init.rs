//! `deskbell init`: the files that a new installation begins with, by flags or by questions.

mod answers;
mod error;
mod prompt;
pub(super) mod report;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use deskbell_config::Environment;
use deskbell_sync::draft::TableDraft;
use deskbell_sync::{DatabaseConfig, MirrorOptions, check, check_live};

use super::{Context, exit};
use crate::init::{self, Choices, FileError};
use answers::Asked;
use error::Error;
use prompt::Prompt;

const EXAMPLE: &str = "\
On a terminal it asks for what no flag says; with --yes, or off a terminal, the defaults hold.

Examples:
  deskbell init
  deskbell init --yes --database env:DATABASE_URL --table User --no-mirror
  deskbell init --yes --compose
  deskbell init --database sqlite://app.db --table users --set \"plan='free'\" --print";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct Arguments {
    /// Directory that the files are written into.
    #[arg(long, value_name = "DIR", default_value = ".")]
    dir: PathBuf,
    /// Database of the mirror and of your table: sqlite://FILE, postgres://… or env:NAME
    /// [default: env:DATABASE_URL if that is set, or sqlite://clerk.db].
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// Database of the event log: sqlite://FILE, postgres://… or env:NAME [default: sqlite://deskbell.db].
    #[arg(long, value_name = "URL")]
    store: Option<String>,
    /// Your own table that users go into, as TABLE or SCHEMA.TABLE: its columns are read from the database.
    #[arg(long, value_name = "TABLE")]
    table: Option<String>,
    /// Value of a column of that table, a CEL expression such as "plan='free'"; repeat it for several.
    #[arg(long, value_name = "COLUMN=EXPRESSION", requires = "table")]
    set: Vec<String>,
    /// Keep no mirror of Clerk's data beside your table.
    #[arg(long, requires = "table")]
    no_mirror: bool,
    /// Also write compose.yaml, which has PostgreSQL too unless --database names another one.
    #[arg(long)]
    compose: bool,
    /// Also write a systemd unit, deskbell.service.
    #[arg(long)]
    systemd: bool,
    /// Ask nothing.
    #[arg(short, long)]
    yes: bool,
    /// Replace files that exist.
    #[arg(long)]
    force: bool,
    /// Print the files instead of writing them.
    #[arg(long)]
    print: bool,
}

pub(super) async fn run(
    arguments: &Arguments,
    context: &Context,
) -> Result<ExitCode, exit::Failure> {
    let environment = Environment::with_files_in(&arguments.dir);
    let may_replace = arguments.force || arguments.print;
    if !may_replace {
        init::check_absent(&answers::least().files(&arguments.dir)).map_err(not_written)?;
    }
    let prompt = Prompt::new(arguments.yes || context.json);
    let choices = answers::choices(&arguments.asked(), &environment, &prompt).await?;
    let problems = match &choices.table {
        Some(table) => problems(table, &choices, &environment).await?,
        None => Vec::new(),
    };
    let files = choices.files(&arguments.dir);
    if !arguments.print {
        init::write_all(&files, arguments.force).map_err(not_written)?;
    }
    let report = report::Report::new(&choices, &files, problems, &arguments.dir);
    if context.json {
        report.print_json(arguments.print.then_some(&files));
    } else if arguments.print {
        report::print_files(&files);
    } else {
        report.print_text();
    }
    Ok(ExitCode::from(exit::DONE))
}

fn not_written(error: FileError) -> exit::Failure {
    match error {
        FileError::Exists(_) => exit::Failure::usage(error),
        _ => exit::Failure::failed_with_help(error),
    }
}

impl Arguments {
    fn asked(&self) -> Asked<'_> {
        Asked {
            dir: &self.dir,
            database: self.database.as_deref(),
            store: self.store.as_deref(),
            table: self.table.as_deref(),
            set: &self.set,
            no_mirror: self.no_mirror,
            compose: self.compose,
            systemd: self.systemd,
        }
    }
}

/// What the database does not accept of the mapping, but for what the draft knows already.
async fn problems(
    table: &TableDraft,
    choices: &Choices,
    environment: &Environment,
) -> Result<Vec<String>, exit::Failure> {
    let Some(url) = answers::url(&choices.database, environment)? else { return Ok(Vec::new()) };
    let database = DatabaseConfig {
        mirror: choices.mirror,
        tables: vec![table.to_config()],
        ..DatabaseConfig::at(url)
    };
    check(&database).map_err(Error::Expression).map_err(exit::Failure::usage)?;
    if !table.unfilled.is_empty() || table.missing_index.is_some() {
        return Ok(Vec::new());
    }
    Ok(match check_live(&MirrorOptions::new("app", database)).await {
        Ok(unfit) => unfit.into_iter().map(|unfit| unfit.problem.to_string()).collect(),
        Err(error) => vec![error.to_string()],
    })
}
