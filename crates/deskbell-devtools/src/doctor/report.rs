//! What was found, a check at a time.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::code::CheckCode;

/// How a check went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Pass,
    /// It works, and may fail later.
    Warn,
    Fail,
    /// It was not checked; `found` says why.
    Skipped,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Check {
    pub code: CheckCode,
    /// What it asks.
    pub name: String,
    pub status: Status,
    /// What was seen.
    pub found: String,
    /// Why it matters.
    pub why: String,
    /// How to mend it, where it failed or warns.
    pub help: Option<String>,
}

/// How many checks went how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Summary {
    pub pass: usize,
    pub warn: usize,
    pub fail: usize,
    pub skipped: usize,
}

/// What `doctor` found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Report {
    /// The handler's URL without a password; absent where there is none to check.
    pub url: Option<String>,
    pub checks: Vec<Check>,
    pub summary: Summary,
}

/// The checks until now, each once.
#[derive(Debug, Default)]
pub(super) struct Checks(BTreeMap<CheckCode, Check>);

impl Checks {
    pub(super) fn pass(&mut self, code: CheckCode, found: impl Into<String>) {
        self.add(code, Status::Pass, found.into(), None);
    }

    pub(super) fn warn(
        &mut self,
        code: CheckCode,
        found: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.add(code, Status::Warn, found.into(), Some(help.into()));
    }

    pub(super) fn fail(
        &mut self,
        code: CheckCode,
        found: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.add(code, Status::Fail, found.into(), Some(help.into()));
    }

    pub(super) fn skip(&mut self, code: CheckCode, found: impl Into<String>) {
        self.add(code, Status::Skipped, found.into(), None);
    }

    pub(super) fn remove(&mut self, code: CheckCode) {
        self.0.remove(&code);
    }

    pub(super) fn has(&self, code: CheckCode, status: Status) -> bool {
        self.0.get(&code).is_some_and(|check| check.status == status)
    }

    fn add(&mut self, code: CheckCode, status: Status, found: String, help: Option<String>) {
        let (name, why) = (code.name().to_owned(), code.why().to_owned());
        self.0.insert(code, Check { code, name, status, found, why, help });
    }

    /// The report; what was not checked of a handler is skipped for this reason.
    pub(super) fn finish(mut self, url: Option<String>, because: &str) -> Report {
        for code in CheckCode::all() {
            if !code.is_of_project() && !self.0.contains_key(&code) {
                self.skip(code, because);
            }
        }
        let checks: Vec<_> = self.0.into_values().collect();
        let mut summary = Summary::default();
        for check in &checks {
            match check.status {
                Status::Pass => summary.pass += 1,
                Status::Warn => summary.warn += 1,
                Status::Fail => summary.fail += 1,
                Status::Skipped => summary.skipped += 1,
            }
        }
        Report { url, checks, summary }
    }
}
