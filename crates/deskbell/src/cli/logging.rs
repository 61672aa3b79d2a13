//! The log goes to stderr; data that was asked for goes to stdout.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::config::Environment;

/// The variable whose filters hold before `-v`: `info`, `deskbell_server=debug`, …
const VARIABLE: &str = "DESKBELL_LOG";

pub(super) fn start(verbosity: u8, environment: &Environment) {
    let level = match verbosity {
        0 => "info,sqlx=warn",
        1 => "debug,sqlx=warn,hyper=info",
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
