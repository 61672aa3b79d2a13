//! Values that stand elsewhere: `"env:NAME"` in the environment, `"file:NAME"` in a file.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use toml::de::{DeArray, DeValue};

use super::Environment;

/// Bytes of a file that holds a value; a larger one is an error.
const FILE_BYTES_MAX: u64 = 64 << 10;

/// Where values are looked up.
pub(super) struct Lookup<'a> {
    pub(super) environment: &'a Environment,
    /// What a relative path is relative to: the config file's directory.
    pub(super) directory: &'a Path,
    /// Whether secrets that are not there are left out, and destinations that need them.
    pub(super) is_lenient: bool,
}

/// Keys outside of destinations whose secrets a command that only reads does without.
const NOT_NEEDED: &[&str] = &["admin_token", "signing_secrets"];

/// A value that is not where the config says.
#[derive(Debug)]
pub(super) struct Missing {
    pub(super) message: String,
    pub(super) help: String,
}

impl Lookup<'_> {
    /// What this text refers to; `None` where it is the value itself.
    pub(super) fn find(&self, text: &str) -> Option<Result<String, Missing>> {
        if let Some(name) = text.strip_prefix("env:") {
            return Some(self.variable(name));
        }
        text.strip_prefix("file:").map(|name| self.file(name.trim()))
    }

    /// Whether this key's value is a secret that is not there, and can be done without.
    pub(super) fn is_left_out(&self, key: &str, value: &DeValue<'_>) -> bool {
        let is_missing = |value: &DeValue<'_>| {
            value.as_str().and_then(|text| self.find(text)).is_some_and(|found| found.is_err())
        };
        let of_list = |list: &DeArray<'_>| list.iter().any(|one| is_missing(one.get_ref()));
        self.is_lenient
            && NOT_NEEDED.contains(&key)
            && (is_missing(value) || value.as_array().is_some_and(of_list))
    }

    fn variable(&self, name: &str) -> Result<String, Missing> {
        self.environment.get(name).ok_or_else(|| Missing {
            message: format!("the environment variable {name} is not set"),
            help: format!("set it (export {name}=…), or write the value in its place"),
        })
    }

    /// The file's text without the line break at its end, which editors and `echo` put there.
    fn file(&self, name: &str) -> Result<String, Missing> {
        let path = self.directory.join(name);
        let help = match name.rsplit_once('.') {
            Some((_, "db" | "sqlite" | "sqlite3")) => {
                "a SQLite database is written sqlite://FILE; what follows `file:` is a file that \
                 holds the value"
            }
            _ => {
                "a path after `file:` is relative to the config file; the file holds the value and \
                 nothing else"
            }
        };
        let missing = |reason: String| Missing {
            message: format!("{} cannot be read: {reason}", path.display()),
            help: help.to_owned(),
        };
        let file = File::open(&path).map_err(|error| missing(error.to_string()))?;
        let mut text = String::new();
        let read = file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text);
        let bytes = read.map_err(|error| missing(error.to_string()))?;
        if bytes as u64 > FILE_BYTES_MAX {
            return Err(missing(format!("it has more than {FILE_BYTES_MAX} bytes")));
        }
        let value = text.strip_suffix('\n').unwrap_or(&text);
        let value = value.strip_suffix('\r').unwrap_or(value);
        if value.trim().is_empty() {
            return Err(missing("it is empty".to_owned()));
        }
        Ok(value.to_owned())
    }
}
