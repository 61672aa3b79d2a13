//! The parameters of a PostgreSQL URL: those that the driver knows are handed on.
//!
//! The driver logs each other one with its value, and that may be a secret.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use url::Url;

/// What the driver reads.
const KNOWN: &[&str] = &[
    "sslmode",
    "ssl-mode",
    "sslrootcert",
    "ssl-root-cert",
    "ssl-ca",
    "sslcert",
    "ssl-cert",
    "sslkey",
    "ssl-key",
    "statement-cache-capacity",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
    "options",
];

/// The URL without parameters that are not known; their names are logged, once.
pub(super) fn known_only(url: &Url) -> Url {
    let (known, ignored): (Vec<_>, Vec<_>) =
        url.query_pairs().into_owned().partition(|(name, _)| is_known(name));
    let mut stripped = url.clone();
    if !ignored.is_empty() {
        stripped.set_query(None);
        if !known.is_empty() {
            stripped.query_pairs_mut().extend_pairs(known);
        }
        warn_once(ignored.into_iter().map(|(name, _)| name));
    }
    stripped
}

fn is_known(name: &str) -> bool {
    KNOWN.contains(&name) || (name.starts_with("options[") && name.ends_with(']'))
}

/// A database is connected to more than once; what is ignored is said once.
fn warn_once(names: impl Iterator<Item = String>) {
    static WARNED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    for name in names {
        let is_new = WARNED.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone());
        if is_new {
            let hint = hint(&name);
            tracing::warn!(
                parameter = name,
                "ignoring an unknown parameter of the PostgreSQL URL{hint}"
            );
        }
    }
}

/// What people mean by parameters of other programs.
fn hint(name: &str) -> &'static str {
    match name {
        "schema" | "currentSchema" | "search_path" => {
            "; set the schema with the destination's key `schema`"
        }
        "ssl" | "sslaccept" => "; use `sslmode=require` or `sslmode=verify-full` for TLS",
        "sslpassword" => "; a key with a password is not supported: use a key without one",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_driver_does_not_know_is_left_out() {
        for (given, left) in [
            ("postgres://me:x@db/app", "postgres://me:x@db/app"),
            ("postgres://db/app?sslmode=require", "postgres://db/app?sslmode=require"),
            ("postgres://db/app?sslpassword=hunter2", "postgres://db/app"),
            (
                "postgres://db/app?pgbouncer=true&options=-c%20a%3Db&schema=x&options[a]=b%26c",
                "postgres://db/app?options=-c+a%3Db&options%5Ba%5D=b%26c",
            ),
        ] {
            assert_eq!(known_only(&given.parse().unwrap()).as_str(), left);
        }
    }
}
