//! Licences, bans, sources and advisories of the dependencies, by cargo-deny, in the long run only.

use crate::prerequisites;
use crate::report::NotRun;
use crate::step::{Step, cargo};

/// The check, without advisories where their database cannot be fetched, which is reported.
pub(crate) fn steps(not_run: &mut Vec<NotRun>) -> Vec<Step> {
    if !prerequisites::ensure_cargo_tool("cargo-deny") {
        let install = "cargo install --locked cargo-deny".to_owned();
        not_run.push(NotRun { what: "licences and bans of dependencies".to_owned(), install });
        return Vec::new();
    }
    if prerequisites::has("cargo", &["deny", "fetch", "db"]) {
        return vec![cargo("dependencies", "deny check")];
    }
    not_run.push(NotRun {
        what: "security advisories of dependencies".to_owned(),
        install: "their database (github.com/rustsec/advisory-db) cannot be fetched".to_owned(),
    });
    vec![cargo("dependencies", "deny check bans licenses sources")]
}
