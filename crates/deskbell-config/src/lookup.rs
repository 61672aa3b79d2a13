//! Values that are elsewhere: `"env:NAME"` in the environment, `"file:NAME"` in a file.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use toml::de::{DeArray, DeValue};

use crate::Environment;
use crate::template::FILE;

/// What a value that names a variable begins with.
const VARIABLE: &str = "env:";

/// Bytes of a file that holds a value; a larger one is an error.
const FILE_BYTES_MAX: u64 = 64 << 10;

/// Where values are looked up, and which may be shown.
pub(crate) struct Lookup<'a> {
    environment: &'a Environment,
    /// What a relative path is relative to: the config file's directory.
    directory: &'a Path,
    /// Keys that are left out where their value is missing, and with `Some` tables that need one.
    without: Option<&'a [&'a str]>,
    /// Whether the value that begins at this byte may be shown, for those that were read.
    shown: RefCell<BTreeMap<usize, bool>>,
}

/// A value that is not where the config says.
#[derive(Debug)]
pub(crate) struct Missing {
    pub(crate) message: String,
    pub(crate) help: String,
}

impl<'a> Lookup<'a> {
    pub(crate) fn new(
        environment: &'a Environment,
        directory: &'a Path,
        without: Option<&'a [&'a str]>,
    ) -> Self {
        Self { environment, directory, without, shown: RefCell::default() }
    }

    pub(crate) fn is_lenient(&self) -> bool {
        self.without.is_some()
    }

    /// What this text refers to; `None` where it is the value itself.
    pub(crate) fn find(&self, text: &str) -> Option<Result<String, Missing>> {
        if let Some(name) = text.strip_prefix(VARIABLE) {
            return Some(self.variable(name));
        }
        text.strip_prefix(FILE).map(|name| self.value_in_file(name.trim()))
    }

    /// Whether this key's value is missing, and can be done without.
    pub(crate) fn is_left_out(&self, key: &str, value: &DeValue<'_>) -> bool {
        let is_missing = |value: &DeValue<'_>| {
            value.as_str().and_then(|text| self.find(text)).is_some_and(|found| found.is_err())
        };
        let of_list = |list: &DeArray<'_>| list.iter().any(|one| is_missing(one.get_ref()));
        self.without.is_some_and(|keys| keys.contains(&key))
            && (is_missing(value) || value.as_array().is_some_and(of_list))
    }

    /// Notes whether the value that begins at this byte may be shown. Once secret is always secret.
    pub(crate) fn note(&self, byte: usize, is_public: bool) {
        *self.shown.borrow_mut().entry(byte).or_insert(true) &= is_public;
    }

    pub(crate) fn into_shown(self) -> BTreeMap<usize, bool> {
        self.shown.into_inner()
    }

    /// The text of a file, or why there is none.
    pub(crate) fn text_of(&self, name: &str, bytes_max: u64) -> Result<String, String> {
        let path = self.directory.join(name);
        let unreadable =
            |reason: &dyn Display| format!("{} cannot be read: {reason}", path.display());
        let file = File::open(&path).map_err(|error| unreadable(&error))?;
        let mut text = String::new();
        let read = file.take(bytes_max + 1).read_to_string(&mut text);
        if read.map_err(|error| unreadable(&error))? as u64 > bytes_max {
            return Err(unreadable(&format_args!("it has more than {bytes_max} bytes")));
        }
        Ok(text)
    }

    fn variable(&self, name: &str) -> Result<String, Missing> {
        self.environment.get(name).ok_or_else(|| Missing {
            message: format!("the environment variable {name} is not set"),
            help: format!("set it (export {name}=…), or write the value in its place"),
        })
    }

    /// The file's text without the line break at its end, which editors and `echo` put there.
    fn value_in_file(&self, name: &str) -> Result<String, Missing> {
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
        let missing = |message| Missing { message, help: help.to_owned() };
        let text = self.text_of(name, FILE_BYTES_MAX).map_err(missing)?;
        let value = text.strip_suffix('\n').unwrap_or(&text);
        let value = value.strip_suffix('\r').unwrap_or(value);
        if value.trim().is_empty() {
            let path = self.directory.join(name);
            return Err(missing(format!("{} cannot be read: it is empty", path.display())));
        }
        Ok(value.to_owned())
    }
}

/// Whether a value is a reference, and so no secret itself.
pub(crate) fn is_reference(text: &str) -> bool {
    text.starts_with(VARIABLE) || text.starts_with(FILE)
}
