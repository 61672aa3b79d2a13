//! A body in the editor of whoever calls.

use std::io::{self, IsTerminal, Write};

use miette::Diagnostic;
use tempfile::NamedTempFile;
use tokio::process::Command;

use super::exit::Failure;
use crate::config::Environment;
use crate::signals::Signals;

/// Where no variable names an editor.
const EDITOR_DEFAULT: &str = "vi";

#[derive(Debug, thiserror::Error, Diagnostic)]
pub(super) enum EditError {
    #[error("--edit needs a terminal")]
    #[diagnostic(help("set values with --set, or give a body of your own with --body @FILE"))]
    NoTerminal,
    #[error("failed to run the editor `{editor}`")]
    #[diagnostic(help("set VISUAL or EDITOR to an editor that waits, for example `code --wait`"))]
    Editor { editor: String, source: io::Error },
    #[error("the editor `{editor}` failed: nothing was sent")]
    #[diagnostic(help("save the file and leave the editor without an error"))]
    Failed { editor: String },
    #[error("failed to keep the body in a file for the editor")]
    File(#[from] io::Error),
}

impl EditError {
    pub(super) fn failure(self) -> Failure {
        match self {
            Self::NoTerminal => Failure::usage(self),
            error => Failure::failed_with_help(error),
        }
    }
}

/// Lets the caller change the body, shown as indented JSON where it is JSON. `None` where it stays as it
/// is.
pub(super) async fn edit(
    body: &[u8],
    environment: &Environment,
) -> Result<Option<Vec<u8>>, EditError> {
    if !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
        return Err(EditError::NoTerminal);
    }
    let shown = indented(body);
    let file = written(&shown)?;
    let set = |name| environment.of_process(name).filter(|value| !value.trim().is_empty());
    let editor = set("VISUAL").or_else(|| set("EDITOR"));
    let editor = editor.unwrap_or_else(|| EDITOR_DEFAULT.to_owned());
    // The variable may have arguments: `code --wait`.
    let mut words = editor.split_whitespace();
    let mut command = Command::new(words.next().unwrap_or(EDITOR_DEFAULT));
    // Ctrl-C is the editor's meanwhile; the file goes away when this process ends by itself.
    let _held = Signals::listen()?;
    let status = command.args(words).arg(file.path()).kill_on_drop(true).status().await;
    match status {
        Ok(status) if status.success() => {
            let edited = std::fs::read(file.path())?;
            Ok((edited != shown).then_some(edited))
        }
        Ok(_) => Err(EditError::Failed { editor }),
        Err(source) => Err(EditError::Editor { editor, source }),
    }
}

fn indented(body: &[u8]) -> Vec<u8> {
    let json = serde_json::from_slice::<serde_json::Value>(body);
    json.map_or_else(|_| body.to_vec(), |json| format!("{json:#}\n").into_bytes())
}

fn written(text: &[u8]) -> io::Result<NamedTempFile> {
    let mut file = tempfile::Builder::new().prefix("deskbell-").suffix(".json").tempfile()?;
    file.write_all(text)?;
    file.flush()?;
    Ok(file)
}
