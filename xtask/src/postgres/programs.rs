//! Where PostgreSQL's programs are: in the path, or where the systems that keep them out of it put them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::environment::TEST_POSTGRES;
use crate::prerequisites::{self, Version};
use crate::unpacked;

/// The oldest release that the tests are for.
const OLDEST: Version = Version(14, 0);
const DEBIAN: &[&str] = &["postgresql"];
/// Directories with one directory a release, and what leads from there to the programs.
const RELEASES: [(&str, &str, &str); 4] = [
    ("/usr/lib/postgresql", "", "bin"),
    ("/usr", "pgsql-", "bin"),
    ("/opt/homebrew/opt", "postgresql@", "bin"),
    ("/usr/local/opt", "postgresql@", "bin"),
];

/// The programs of one release.
#[derive(Debug)]
pub(crate) struct Programs {
    /// Empty where they are in the path.
    directory: PathBuf,
    pub(crate) version: Version,
}

impl Programs {
    /// Finds the programs, installing them where that may be done; else says what to install.
    pub(crate) fn ensure() -> Result<Self, String> {
        let installed = || {
            prerequisites::install_packages(DEBIAN, "tests need a PostgreSQL server")
                .then(Self::find)
                .flatten()
        };
        Self::find().or_else(installed).ok_or_else(|| {
            format!(
                "install {} ({OLDEST} or later: initdb, postgres and pg_ctl), or name a server in {}",
                DEBIAN.join(", "),
                TEST_POSTGRES
            )
        })
    }

    pub(crate) fn is_found() -> bool {
        Self::find().is_some()
    }

    pub(crate) fn path(&self, program: &str) -> PathBuf {
        self.directory.join(program)
    }

    fn find() -> Option<Self> {
        let unpacked = unpacked::root().join("usr/lib/postgresql");
        let releases = RELEASES.map(|(parent, prefix, bin)| (PathBuf::from(parent), prefix, bin));
        let mut directories = vec![PathBuf::new()];
        for (parent, prefix, bin) in releases.into_iter().chain([(unpacked, "", "bin")]) {
            let names = newest_first(names_in(&parent), prefix);
            directories.extend(names.into_iter().map(|name| parent.join(name).join(bin)));
        }
        directories.into_iter().find_map(Self::in_directory)
    }

    /// All three programs, so that a client's `pg_ctl` alone does not count.
    fn in_directory(directory: PathBuf) -> Option<Self> {
        let version = |program| prerequisites::version(directory.join(program));
        let found = version("initdb")?;
        let complete = version("postgres") == Some(found) && version("pg_ctl") == Some(found);
        (complete && found >= OLDEST).then_some(Self { directory, version: found })
    }
}

fn names_in(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
}

/// The names that end in a release, the greatest first: 17 before 9.
fn newest_first(names: Vec<String>, prefix: &str) -> Vec<String> {
    let release = |name: &str| name.strip_prefix(prefix)?.split('.').next()?.parse::<u32>().ok();
    let mut releases: Vec<(u32, String)> =
        names.into_iter().filter_map(|name| Some((release(&name)?, name))).collect();
    releases.sort_unstable_by(|a, b| b.cmp(a));
    releases.into_iter().map(|(_, name)| name).collect()
}

/// Whether the directory of a cluster can be entered and written by whom the command runs as.
pub(crate) fn can_use(mut shell: Command, directory: &Path) -> bool {
    let test = shell.args(["-c", r#"cd "$1" && test -w ."#, "sh"]).arg(directory).current_dir("/");
    test.output().is_ok_and(|output| output.status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_release_comes_first() {
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        assert_eq!(newest_first(names(&["9.6", "15", "17", "x"]), ""), ["17", "15", "9.6"]);
        let homebrew = names(&["postgresql", "postgresql@9", "postgresql@17", "openssl@3"]);
        assert_eq!(newest_first(homebrew, "postgresql@"), ["postgresql@17", "postgresql@9"]);
    }

    #[test]
    fn a_directory_without_the_programs_is_passed_over() {
        assert!(Programs::in_directory(PathBuf::from("/nowhere")).is_none());
    }
}
