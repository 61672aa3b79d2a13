//! The body in the editor of whoever calls.

use std::io::{IsTerminal, Write};
use std::process::Command;

use serde_json::Value;

use crate::cli::Context;
use crate::cli::exit::Failure;

/// Where no variable names an editor.
const EDITOR_DEFAULT: &str = "vi";

#[derive(Debug, thiserror::Error, miette::Diagnostic)]
enum NotEdited {
    #[error("--edit needs a terminal")]
    #[diagnostic(help("set values with --set, or give a body of your own with --body @FILE"))]
    NoTerminal,
    #[error("failed to run the editor `{editor}`")]
    #[diagnostic(help("set VISUAL or EDITOR to an editor that waits, for example `code --wait`"))]
    Editor {
        editor: String,
        #[source]
        source: std::io::Error,
    },
    #[error("the editor `{editor}` failed: nothing was sent")]
    #[diagnostic(help("save the file and leave the editor without an error"))]
    Failed { editor: String },
    #[error("failed to write the body to a file for the editor")]
    File(#[source] std::io::Error),
}

/// Lets the caller change the body, and returns its text as they left it.
pub(super) fn edit(body: &Value, context: &Context) -> Result<Vec<u8>, Failure> {
    if !(std::io::stdin().is_terminal() && std::io::stderr().is_terminal()) {
        return Err(Failure::usage(NotEdited::NoTerminal));
    }
    let file = written(body).map_err(|error| Failure::failed_with_help(NotEdited::File(error)))?;
    let set = |name| context.environment.of_process(name).filter(|value| !value.trim().is_empty());
    let editor = set("VISUAL").or_else(|| set("EDITOR"));
    let editor = editor.unwrap_or_else(|| EDITOR_DEFAULT.to_owned());
    // The variable may have arguments: `code --wait`.
    let mut words = editor.split_whitespace();
    let mut command = Command::new(words.next().unwrap_or(EDITOR_DEFAULT));
    let status = command.args(words).arg(file.path()).status();
    match status {
        Ok(status) if status.success() => std::fs::read(file.path())
            .map_err(|error| Failure::failed_with_help(NotEdited::File(error))),
        Ok(_) => Err(Failure::failed_with_help(NotEdited::Failed { editor })),
        Err(source) => Err(Failure::failed_with_help(NotEdited::Editor { editor, source })),
    }
}

fn written(body: &Value) -> std::io::Result<tempfile::NamedTempFile> {
    let mut file = tempfile::Builder::new().prefix("deskbell-").suffix(".json").tempfile()?;
    writeln!(file, "{body:#}")?;
    Ok(file)
}
