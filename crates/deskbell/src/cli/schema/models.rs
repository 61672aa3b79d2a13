//! `deskbell schema print --format …`: the mirror's tables as models and types of the application's language.

use std::process::ExitCode;

use deskbell_sync::{ConnectError, Dialect, MirrorOptions, ModelFormat, models};
use miette::Diagnostic;
use schemars::JsonSchema;
use serde::Serialize;

use super::super::{Context, exit};

/// The models of one destination, as `--json` has them.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::cli) struct PrintedModels<'a> {
    destination: &'a str,
    /// The text of the file.
    text: String,
}

#[derive(Debug, thiserror::Error, Diagnostic)]
enum ModelsError {
    #[error("the destination{} no mirror", keep(.0))]
    #[diagnostic(help("there are models for the tables of a mirror; leave out `mirror = false`"))]
    NoMirror(Vec<String>),
    #[error("there are {} mirrors, and the models of each are a file of their own", .0.len())]
    #[diagnostic(help("name one: --destination {}", .0.join(", or --destination ")))]
    Several(Vec<String>),
    #[error("cannot make models of the mirror of destination `{destination}`")]
    Mirror { destination: String, source: ConnectError },
}

fn keep(names: &[String]) -> String {
    match names {
        [name] => format!(" `{name}` keeps"),
        names => format!("s `{}` keep", names.join("`, `")),
    }
}

pub(super) fn print(
    chosen: &[MirrorOptions],
    format: ModelFormat,
    dialect: Option<Dialect>,
    context: &Context,
) -> Result<ExitCode, exit::Failure> {
    let mut printed: Vec<PrintedModels<'_>> = Vec::new();
    for options in chosen {
        let destination = options.destination.as_str();
        let dialect = dialect.unwrap_or(Dialect::of(&options.database.url));
        let failed = |source| ModelsError::Mirror { destination: destination.to_owned(), source };
        let text = models(format, dialect, &options.database).map_err(failed);
        if let Some(text) = text.map_err(exit::Failure::config)? {
            printed.push(PrintedModels { destination, text });
        }
    }
    if printed.is_empty() {
        let names = chosen.iter().map(|options| options.destination.clone()).collect();
        return Err(exit::Failure::usage(ModelsError::NoMirror(names)));
    }
    if context.json {
        outln!("{:#}", serde_json::json!(printed));
        return Ok(ExitCode::from(exit::DONE));
    }
    // Two destinations may share their tables.
    if printed.iter().any(|other| other.text != printed[0].text) {
        let names = printed.iter().map(|one| one.destination.to_owned()).collect();
        return Err(exit::Failure::usage(ModelsError::Several(names)));
    }
    outln!("{}", printed[0].text.trim_end());
    Ok(ExitCode::from(exit::DONE))
}
