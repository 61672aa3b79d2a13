//! The log goes to stderr; data that was asked for goes to stdout.

use std::io::IsTerminal;

use miette::Diagnostic;
use tracing_subscriber::EnvFilter;

use super::output;
use crate::config::Environment;

/// The variable whose filters hold before `-v`: `info`, `deskbell_server=debug`, …
const VARIABLE: &str = "DESKBELL_LOG";

/// What is logged where nothing else is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Defaults {
    /// The steps of a service, and each event where `log_events` says so.
    Steps { log_events: bool },
    /// Only what is wrong: the command itself says what it does.
    Faults,
    /// The same without warnings: the demo's receiver fails on purpose.
    Errors,
}

/// `DESKBELL_LOG` makes no sense.
#[derive(Debug, thiserror::Error, Diagnostic)]
#[error("{VARIABLE}: invalid filter `{filter}`: {reason}")]
#[diagnostic(help(
    "expected a level (error, warn, info, debug, trace) or TARGET=LEVEL, separated by commas"
))]
pub(super) struct BadFilter {
    filter: String,
    reason: String,
}

pub(super) fn start(
    defaults: Defaults,
    verbosity: u8,
    environment: &Environment,
) -> Result<(), BadFilter> {
    let filter = match environment.get(VARIABLE) {
        Some(filters) => read(&filters)?,
        None => EnvFilter::builder().parse_lossy(default_filters(defaults, verbosity)),
    };
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(output::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        // It would print to stderr that stderr cannot be printed to, and panic.
        .log_internal_errors(false)
        .init();
    Ok(())
}

/// Libraries are heard where something is wrong; with `-v` they say what they do.
fn default_filters(defaults: Defaults, verbosity: u8) -> &'static str {
    match (verbosity, defaults) {
        (0, Defaults::Faults) => "warn",
        (0, Defaults::Errors) => "error",
        (0, Defaults::Steps { log_events: false }) => "warn,deskbell=info,deskbell::events=warn",
        (0, Defaults::Steps { log_events: true }) => "warn,deskbell=info",
        (1, _) => "debug,sqlx=warn,hyper=info",
        _ => "trace",
    }
}

/// A word alone must be a level: the parser would take any other for a target of which everything
/// is logged.
fn read(filters: &str) -> Result<EnvFilter, BadFilter> {
    for filter in filters.split(',').map(str::trim).filter(|filter| !filter.is_empty()) {
        let bad = |reason: String| BadFilter { filter: filter.to_owned(), reason };
        if let Err(error) = EnvFilter::builder().parse(filter) {
            return Err(bad(error.to_string()));
        }
        let is_word = !filter.contains(['=', '[', ':']);
        if is_word && filter.parse::<tracing_subscriber::filter::LevelFilter>().is_err() {
            return Err(bad("unknown level".to_owned()));
        }
    }
    Ok(EnvFilter::builder().parse_lossy(filters))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_levels_and_targets_with_levels() {
        for good in ["info", "WARN", "off", "info,sqlx=warn", "deskbell_server=debug, warn", "a::b"]
        {
            assert!(read(good).is_ok(), "{good}");
        }
        for bad in ["nonsense", "info,loud", "deskbell=loud", "sqlx=warn,verbose"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
