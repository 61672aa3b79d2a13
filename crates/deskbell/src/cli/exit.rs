//! How a command ends: its exit code, and the error that it prints where that is not 0.

use std::process::ExitCode;
use std::str::FromStr;

use miette::{Diagnostic, Report};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

pub use super::exit_code::{BROKEN_PIPE, CONFIG, DONE, FAILED, USAGE};
use crate::StartError;
use crate::config::ConfigError;

/// A command that could not do what it was asked for.
#[derive(Debug)]
pub(super) struct Failure {
    code: u8,
    report: Report,
}

impl Failure {
    /// The command failed.
    pub(super) fn failed(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self { code: FAILED, report: Report::from_err(error) }
    }

    /// The command failed, and there is something to say about what to do then.
    pub(super) fn failed_with_help(error: impl Diagnostic + Send + Sync + 'static) -> Self {
        Self { code: FAILED, report: Report::new(error) }
    }

    /// The engine could not start, or would not.
    pub(super) fn start(error: StartError) -> Self {
        let code = if error.is_config_error() { CONFIG } else { FAILED };
        Self { code, report: Report::from_err(error) }
    }

    /// The configuration makes no sense.
    pub(super) fn config(error: impl Diagnostic + Send + Sync + 'static) -> Self {
        Self { code: CONFIG, report: Report::new(error) }
    }

    /// The arguments make no sense together, or name something that does not exist.
    pub(super) fn usage(error: impl Diagnostic + Send + Sync + 'static) -> Self {
        Self { code: USAGE, report: Report::new(error) }
    }

    /// Says what went wrong on stderr, as text or as one line of JSON.
    pub(super) fn report(self, json: bool) -> ExitCode {
        if json {
            errln!("{}", self.to_json());
        } else {
            errln!("{:?}", self.report);
        }
        ExitCode::from(self.code)
    }

    /// All of it in a few lines without styles, for who reads no stderr.
    pub(super) fn to_text(&self) -> String {
        let mut text = self.report.chain().map(ToString::to_string).collect::<Vec<_>>().join(": ");
        if let Some(help) = self.help() {
            text += &format!("\nhelp: {help}");
        }
        text
    }

    fn to_json(&self) -> Value {
        let causes: Vec<_> = self.report.chain().skip(1).map(ToString::to_string).collect();
        error_json(&self.report.to_string(), &causes, self.help().as_deref(), self.code)
    }

    fn help(&self) -> Option<String> {
        self.report.help().map(|help| help.to_string())
    }
}

/// A flag's value that makes no sense.
#[derive(Debug, thiserror::Error, Diagnostic)]
#[error("{flag}: {fault}")]
struct BadValue {
    flag: &'static str,
    fault: String,
}

/// Reads a flag's value, which an error does not repeat: a URL may hold a password.
pub(super) fn parse_flag<T: FromStr<Err = String>>(
    flag: &'static str,
    text: &str,
) -> Result<T, Failure> {
    text.parse().map_err(|fault| Failure::usage(BadValue { flag, fault }))
}

/// An error as `--json` has it.
pub(super) fn error_json(error: &str, causes: &[String], help: Option<&str>, code: u8) -> Value {
    json!(ErrorOutput { error, causes, help, code })
}

/// An error with `--json`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Error")]
pub(super) struct ErrorOutput<'a> {
    /// What went wrong.
    error: &'a str,
    /// Why, from the outermost to the innermost.
    causes: &'a [String],
    /// What to do about it.
    help: Option<&'a str>,
    /// The exit code.
    code: u8,
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::config(error)
    }
}
