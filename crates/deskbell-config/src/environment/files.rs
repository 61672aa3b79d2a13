//! `.env.local` and `.env`: variables that the environment lacks.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// The files, the one that is asked first in front.
const NAMES: [&str; 2] = [".env.local", ".env"];
/// Bytes of a file; what is behind them is not read.
const BYTES_MAX: u64 = 1 << 20;

/// What `.env.local` and `.env` held when they were read.
pub struct EnvironmentFiles {
    files: Vec<(&'static str, BTreeMap<String, String>)>,
    mistakes: Vec<String>,
    taken: Mutex<BTreeSet<(String, &'static str)>>,
}

impl EnvironmentFiles {
    pub(super) fn read(directory: &Path) -> Self {
        let mut read = Self { files: Vec::new(), mistakes: Vec::new(), taken: Mutex::default() };
        for name in NAMES {
            match File::open(directory.join(name)) {
                Ok(file) => read.read_file(name, file),
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => read.mistakes.push(format!("{name} cannot be read: {error}")),
            }
        }
        read
    }

    /// Takes what makes sense; the file is mostly somebody else's.
    fn read_file(&mut self, name: &'static str, file: File) {
        let mut variables = BTreeMap::new();
        for entry in dotenvy::Iter::new(file.take(BYTES_MAX)) {
            match entry {
                Ok((variable, value)) => {
                    variables.entry(variable).or_insert(value);
                }
                Err(dotenvy::Error::Io(error)) => {
                    self.mistakes.push(format!("{name} cannot be read: {error}"));
                    break;
                }
                // The error shows the line, which may hold a secret.
                Err(_) => self.mistakes.push(format!(
                    "a line of {name} is not NAME=value, or has an open quote; it is ignored"
                )),
            }
        }
        self.files.push((name, variables));
    }

    pub(super) fn get(&self, variable: &str) -> Option<String> {
        let (file, value) = self.files.iter().find_map(|(file, variables)| {
            Some((file, variables.get(variable).filter(|value| is_set(value))?))
        })?;
        self.taken().insert((variable.to_owned(), file));
        Some(value.clone())
    }

    pub(super) fn notes(&self) -> Vec<String> {
        let taken = self.taken();
        let taken = taken.iter().map(|(variable, file)| format!("{variable} comes from {file}"));
        self.mistakes.iter().cloned().chain(taken).collect()
    }

    fn taken(&self) -> std::sync::MutexGuard<'_, BTreeSet<(String, &'static str)>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for EnvironmentFiles {
    /// Names no values: they may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.files.iter().map(|(file, variables)| (file, variables.keys()));
        f.debug_map().entries(names.map(|(file, keys)| (file, keys.collect::<Vec<_>>()))).finish()
    }
}

#[expect(clippy::ptr_arg, reason = "it filters an Option<String>")]
pub(super) fn is_set(value: &String) -> bool {
    !value.trim().is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearer_file_comes_first_and_mistakes_show_no_value() {
        let directory = tempfile::tempdir().unwrap();
        let write = |name, text| std::fs::write(directory.path().join(name), text).unwrap();
        write(".env", "# the defaults\nDB=far\nexport ONLY='here # too'\nEMPTY=\n");
        write(".env.local", "DB=near\nbroken line s3cret\nEMPTY=full\n");
        let files = EnvironmentFiles::read(directory.path());
        assert_eq!(files.get("DB").as_deref(), Some("near"));
        assert_eq!(files.get("ONLY").as_deref(), Some("here # too"));
        assert_eq!(files.get("NONE"), None);
        let notes = files.notes().join("; ");
        assert!(notes.contains("DB comes from .env.local; ONLY comes from .env"), "{notes}");
        assert!(notes.contains("a line of .env.local") && !notes.contains("s3cret"), "{notes}");
        assert!(!format!("{files:?}").contains("near"));
    }
}
