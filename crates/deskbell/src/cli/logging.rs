//! The log goes to stderr; data that was asked for goes to stdout.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::config::Environment;

/// The variable whose filters hold before `-v`: `info`, `deskbell_server=debug`, …
const VARIABLE: &str = "DESKBELL_LOG";

/// What is logged where nothing else is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Usually {
    /// The steps of a service.
    Steps,
    /// Only what is wrong: the command itself says what it does.
    Faults,
}

pub(super) fn start(usually: Usually, verbosity: u8, environment: &Environment) {
    let level = match (verbosity, usually) {
        (0, Usually::Faults) => "warn",
        (0, Usually::Steps) => "info,sqlx=warn",
        (1, _) => "debug,sqlx=warn,hyper=info",
        _ => "trace",
    };
    let filters = environment.get(VARIABLE).unwrap_or_else(|| level.to_owned());
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::builder().parse_lossy(filters))
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .init();
}
