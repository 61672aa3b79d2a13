//! PgBouncer, which tests put in front of their PostgreSQL server.

use crate::prerequisites::{self, Version};
use crate::report::NotRun;

/// The feature that the tests stand behind.
const FEATURE: &str = "deskbell-store/pgbouncer";
const DEBIAN: &[&str] = &["pgbouncer"];

/// Installs PgBouncer where that may be done. Returns the feature to leave out where it is missing, which is reported.
pub(crate) fn features_without(not_run: &mut Vec<NotRun>) -> Vec<String> {
    if prerequisites::ensure_packages("pgbouncer", Version(1, 15), DEBIAN) {
        return Vec::new();
    }
    let what = "the event log behind PgBouncer".to_owned();
    not_run.push(NotRun { what, install: format!("install {}", DEBIAN.join(", ")) });
    vec![FEATURE.to_owned()]
}
