//! What is asked about.

use std::path::PathBuf;
use std::time::Duration;

use deskbell_config::SetVariable;
use url::Url;

use super::code::CheckCode;
use super::report::Checks;
use super::rows::CountRows;
use crate::diagnosis::NamedSecret;

/// A handler, and what is known of it.
pub struct Subject<'a> {
    /// Without one, the project alone is looked at.
    pub url: Option<Url>,
    /// Those that were given.
    pub secrets: Vec<NamedSecret>,
    /// Those of the config.
    pub of_config: Vec<NamedSecret>,
    /// The directory of the application.
    pub project: PathBuf,
    /// What is set in the environment and in the application's files of variables.
    pub variables: Vec<SetVariable>,
    /// Whether signed events may be sent.
    pub probes: bool,
    /// How long an answer may take.
    pub timeout: Duration,
    /// How long one may take without a warning.
    pub slow_after: Duration,
    /// Counts the rows of a user, where the database is known.
    pub rows: Option<&'a CountRows<'a>>,
    pub now_seconds: fn() -> u64,
    /// Where it is our own server: what its config and it itself say.
    pub own: Option<Own>,
}

/// What is known of our own server.
#[derive(Debug, Clone)]
pub struct Own {
    /// The config's file or origin, or what is wrong with it.
    pub config: Result<String, String>,
    /// What `/readyz` says; `None` where it was not asked.
    pub ready: Option<Result<String, String>>,
}

impl Own {
    pub(super) fn add_to(&self, checks: &mut Checks) {
        match &self.config {
            Ok(found) => checks.pass(CheckCode::Config, found),
            Err(fault) => checks.fail(CheckCode::Config, fault, "run `deskbell config check`"),
        }
        match &self.ready {
            Some(Ok(found)) => checks.pass(CheckCode::Ready, found),
            Some(Err(fault)) => {
                checks.fail(CheckCode::Ready, fault, "look at the log of `deskbell serve`");
            }
            None => {}
        }
    }
}
