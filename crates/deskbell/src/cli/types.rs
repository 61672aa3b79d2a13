//! `deskbell types`: the catalog of event types; of one type, its fields or a sample.

mod fields;

use std::process::ExitCode;

use clap::Args;
use clerk_webhooks::catalog;
use deskbell_admin::CatalogType;
use deskbell_devtools::entry;
use schemars::JsonSchema;
use serde::Serialize;

use self::fields::FieldOutput;
use super::{Context, exit, table};

const EXAMPLE: &str = "\
Examples:
  deskbell types
  deskbell types user.created
  deskbell types user.created --sample > body.json";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct Arguments {
    /// Event type whose fields to print, for example user.created [default: list all types].
    #[arg(value_name = "TYPE")]
    event_type: Option<String>,
    /// Print a sample body of the type instead: JSON with line breaks, or with --json in one line.
    #[arg(long, requires = "event_type")]
    sample: bool,
}

/// An event type in the list of all.
#[derive(Serialize, JsonSchema)]
pub(super) struct TypeOutput {
    /// In one sentence, when Clerk sends it.
    description: &'static str,
    /// What it is about, such as `user`.
    entity: Option<&'static str>,
    r#type: &'static str,
}

/// An event type with its fields.
#[derive(Serialize, JsonSchema)]
pub(super) struct TypeWithFields {
    r#type: String,
    /// What it is about, such as `user`.
    entity: Option<String>,
    /// In one sentence, when Clerk sends it.
    description: String,
    fields: Vec<FieldOutput>,
}

pub(super) fn run(arguments: &Arguments, context: &Context) -> Result<ExitCode, exit::Failure> {
    match &arguments.event_type {
        None => list(context),
        Some(name) => {
            let known = CatalogType::from(entry(name).map_err(exit::Failure::usage)?);
            if arguments.sample {
                print_sample(&known, context);
            } else {
                print_fields(known, context);
            }
        }
    }
    Ok(ExitCode::from(exit::DONE))
}

fn list(context: &Context) {
    if context.json {
        let types: Vec<_> = catalog::all()
            .iter()
            .map(|entry| TypeOutput {
                description: entry.description,
                entity: entry.entity,
                r#type: entry.event_type.as_str(),
            })
            .collect();
        outln!("{:#}", serde_json::json!(types));
    } else {
        for entry in catalog::all() {
            outln!("{:32} {}", entry.event_type.as_str(), entry.description);
        }
    }
}

fn print_sample(known: &CatalogType, context: &Context) {
    if context.json {
        outln!("{}", known.sample);
    } else {
        outln!("{:#}", known.sample);
    }
}

fn print_fields(known: CatalogType, context: &Context) {
    let fields = fields::of(&known);
    let CatalogType { event_type, entity, description, .. } = known;
    if context.json {
        let output = TypeWithFields { r#type: event_type, entity, description, fields };
        outln!("{}", serde_json::json!(output));
        return;
    }
    outln!("{event_type}: {description}");
    outln!();
    let rows = fields.into_iter().map(|field| {
        let example = field.example.as_ref().map_or_else(String::new, fields::in_short);
        [field.path, field.kind, example]
    });
    table::print(["FIELD", "KIND", "EXAMPLE"], rows);
}
