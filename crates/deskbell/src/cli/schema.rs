//! `deskbell schema`: the mirror's tables before, and instead of, the program making them.

pub(super) mod models;

use std::collections::HashSet;
use std::process::ExitCode;

use clap::{Subcommand, ValueEnum};
use deskbell_sync::migration::{self, Step};
use deskbell_sync::{ConnectError, Dialect, MirrorOptions, ModelFormat};
use miette::Diagnostic;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use super::{Context, exit, named};
use crate::config::Config;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Print the mirror's tables: as SQL for an empty database, or as models of your language.
    #[command(after_help = PRINT_EXAMPLE)]
    Print {
        /// SQL, models for Prisma or Drizzle, row types for TypeScript, or the `Database` of Kysely.
        #[arg(long, value_enum, default_value_t)]
        format: FormatName,
        /// Kind of database [default: that of the destination's url].
        #[arg(long)]
        dialect: Option<DialectName>,
        /// Only for this destination [default: every database].
        #[arg(long, value_name = "NAME")]
        destination: Option<String>,
    },
    /// Print SQL for what the mirror's database lacks; exits with 1 if it lacks something.
    #[command(after_help = DIFF_EXAMPLE)]
    Diff {
        /// Only for this destination [default: every database].
        destination: Option<String>,
    },
    /// Create missing tables, columns and indexes in the mirror's database.
    #[command(after_help = APPLY_EXAMPLE)]
    Apply {
        /// Only for this destination [default: every database].
        destination: Option<String>,
    },
}

const PRINT_EXAMPLE: &str = "\
Examples:
  deskbell schema print | sqlite3 clerk.db
  deskbell schema print --format prisma --dialect postgres > prisma/schema/clerk.prisma
  deskbell schema print --format drizzle > src/clerk.ts";

const DIFF_EXAMPLE: &str = "\
Examples:
  deskbell schema diff
  deskbell schema diff app > migrations/clerk.sql";

const APPLY_EXAMPLE: &str = "\
Example:
  deskbell schema apply app";

/// What the tables are printed as, on the command line.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub(super) enum FormatName {
    #[default]
    Sql,
    Prisma,
    Drizzle,
    Typescript,
    Kysely,
}

impl FormatName {
    /// `None` for SQL.
    fn models(self) -> Option<ModelFormat> {
        match self {
            Self::Sql => None,
            Self::Prisma => Some(ModelFormat::Prisma),
            Self::Drizzle => Some(ModelFormat::Drizzle),
            Self::Typescript => Some(ModelFormat::Typescript),
            Self::Kysely => Some(ModelFormat::Kysely),
        }
    }
}

/// A kind of database, on the command line.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum DialectName {
    Sqlite,
    Postgres,
}

impl From<DialectName> for Dialect {
    fn from(name: DialectName) -> Self {
        match name {
            DialectName::Sqlite => Self::Sqlite,
            DialectName::Postgres => Self::Postgres,
        }
    }
}

#[derive(Debug, thiserror::Error, Diagnostic)]
enum SchemaError {
    #[error("no destination of type \"database\" is enabled")]
    NoDestination,
    #[error("cannot inspect the mirror of destination `{destination}`")]
    Mirror { destination: String, source: ConnectError },
}

pub(super) async fn run(command: Command, context: &Context) -> Result<ExitCode, exit::Failure> {
    // Nothing is received here, so that signing secrets need not be there.
    let config = context.load_without_secrets()?;
    match command {
        Command::Print { format, dialect, destination } => {
            let chosen = chosen(&config, destination.as_deref())?;
            let dialect = dialect.map(Dialect::from);
            match format.models() {
                None => print(&chosen, dialect, context),
                Some(format) => models::print(&chosen, format, dialect, context),
            }
        }
        Command::Diff { destination } => {
            diff(&chosen(&config, destination.as_deref())?, context).await
        }
        Command::Apply { destination } => {
            apply(&chosen(&config, destination.as_deref())?, context).await
        }
    }
}

/// The options of the named destination's mirror, or of all that are enabled.
fn chosen(config: &Config, name: Option<&str>) -> Result<Vec<MirrorOptions>, exit::Failure> {
    if let Some(name) = name {
        return Ok(vec![named::mirror(name, config)?]);
    }
    let enabled = config.destinations.iter().filter(|one| one.enabled);
    let chosen: Vec<_> = enabled.filter_map(|one| one.mirror_options(&config.sources)).collect();
    if chosen.is_empty() {
        Err(exit::Failure::usage(SchemaError::NoDestination))
    } else {
        Ok(chosen)
    }
}

fn print(
    chosen: &[MirrorOptions],
    dialect: Option<Dialect>,
    context: &Context,
) -> Result<ExitCode, exit::Failure> {
    let mut found = Vec::new();
    for options in chosen {
        let dialect = dialect.unwrap_or(Dialect::of(&options.database.url));
        let steps = migration::from_nothing(dialect, &options.database)
            .map_err(|source| no_mirror(options, source))?;
        found.push((options, dialect, steps));
    }
    show(&found, context);
    Ok(ExitCode::from(exit::DONE))
}

async fn diff(chosen: &[MirrorOptions], context: &Context) -> Result<ExitCode, exit::Failure> {
    let mut lacking = Vec::new();
    for options in chosen {
        let steps = migration::missing(&options.database)
            .await
            .map_err(|source| no_mirror(options, source))?;
        let dialect = Dialect::of(&options.database.url);
        if steps.is_empty() && !context.json {
            errln!("the database of `{}` is up to date", options.destination);
        }
        if !steps.is_empty() || context.json {
            lacking.push((options, dialect, steps));
        }
    }
    show(&lacking, context);
    let complete = lacking.iter().all(|(.., steps)| steps.is_empty());
    Ok(ExitCode::from(if complete { exit::DONE } else { exit::FAILED }))
}

/// The tables of a mirror, or what its database lacks of them.
#[derive(Serialize, JsonSchema)]
pub(super) struct SchemaOutput<'a> {
    destination: &'a str,
    /// SQL that the database's own shell runs as it is.
    script: String,
    steps: Vec<StepOutput<'a>>,
}

#[derive(Serialize, JsonSchema)]
struct StepOutput<'a> {
    name: &'a str,
    sql: &'a str,
}

/// What `schema apply` has done to one database.
#[derive(Serialize, JsonSchema)]
pub(super) struct AppliedOutput<'a> {
    destination: &'a str,
    /// The steps that it lacked.
    applied: Vec<String>,
}

async fn apply(chosen: &[MirrorOptions], context: &Context) -> Result<ExitCode, exit::Failure> {
    let mut applied = Vec::new();
    for options in chosen {
        let name = &options.destination;
        let steps = migration::apply(&options.database)
            .await
            .map_err(|source| no_mirror(options, source))?;
        if context.json {
            applied.push(AppliedOutput { destination: name, applied: steps });
        } else if steps.is_empty() {
            errln!("the database of `{name}` is up to date");
        } else {
            steps.iter().for_each(|step| outln!("{step}"));
        }
    }
    if context.json {
        outln!("{:#}", json!(applied));
    }
    Ok(ExitCode::from(exit::DONE))
}

fn no_mirror(options: &MirrorOptions, source: ConnectError) -> exit::Failure {
    exit::Failure::failed(SchemaError::Mirror { destination: options.destination.clone(), source })
}

/// Prints the steps as SQL that the databases' own shells run as it is, or as JSON.
fn show(found: &[(&MirrorOptions, Dialect, Vec<Step>)], context: &Context) {
    if context.json {
        let all = found.iter().map(|(options, dialect, steps)| {
            let listed = steps.iter().map(|step| StepOutput { name: &step.name, sql: &step.sql });
            SchemaOutput {
                destination: &options.destination,
                script: migration::script(*dialect, &options.database, steps),
                steps: listed.collect(),
            }
        });
        outln!("{:#}", json!(all.collect::<Vec<_>>()));
        return;
    }
    let mut printed = HashSet::new();
    for (options, dialect, steps) in found {
        let script = migration::script(*dialect, &options.database, steps);
        // Two destinations may share their tables.
        if printed.insert(script.clone()) {
            outln!("-- destination: {}\n{script}", options.destination);
        }
    }
}
