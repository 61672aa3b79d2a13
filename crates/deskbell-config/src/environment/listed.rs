//! Every variable that is set, and where: for commands that look for one under a wrong name.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// The files that are listed, the one that counts first in front.
const FILES: [&str; 2] = [".env.local", ".env"];
/// Bytes of a file; what is behind them is not read.
const BYTES_MAX: u64 = 1 << 20;

/// A variable with its value, and where it is set.
#[derive(Clone, PartialEq, Eq)]
pub struct SetVariable {
    pub name: String,
    pub value: String,
    /// `the environment`, `.env.local` or `.env`.
    pub set_in: &'static str,
}

/// The variables of the process, then those of `.env.local`, then those of `.env` in the directory.
#[must_use]
pub fn listed(directory: &Path) -> Vec<SetVariable> {
    let mut variables: Vec<_> = of_process().collect();
    for set_in in FILES {
        let Ok(file) = File::open(directory.join(set_in)) else { continue };
        let lines = dotenvy::Iter::new(file.take(BYTES_MAX));
        let readable = lines.take_while(|line| !matches!(line, Err(dotenvy::Error::Io(_))));
        variables.extend(readable.flatten().map(|(name, value)| SetVariable {
            name,
            value,
            set_in,
        }));
    }
    variables
}

fn of_process() -> impl Iterator<Item = SetVariable> {
    std::env::vars_os().filter_map(|(name, value)| {
        let (name, value) = (name.into_string().ok()?, value.into_string().ok()?);
        Some(SetVariable { name, value, set_in: "the environment" })
    })
}

impl fmt::Debug for SetVariable {
    /// Names no value: it may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {}", self.name, self.set_in)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_of_both_files_are_listed_without_showing_values() {
        let directory = tempfile::tempdir().unwrap();
        let write = |name, text| std::fs::write(directory.path().join(name), text).unwrap();
        write(".env", "ONE=far\nbroken line\nTWO='\"quoted\"'\n");
        write(".env.local", "ONE=near\n");
        let listed = listed(directory.path());
        let of_files = listed.iter().filter(|variable| variable.set_in.starts_with(".env"));
        let found: Vec<_> =
            of_files.map(|one| (one.set_in, one.name.as_str(), one.value.as_str())).collect();
        let wanted =
            [(".env.local", "ONE", "near"), (".env", "ONE", "far"), (".env", "TWO", "\"quoted\"")];
        assert_eq!(found, wanted);
        assert!(!format!("{listed:?}").contains("near"));
    }
}
