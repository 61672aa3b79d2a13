//! What tests need beside Rust: looked for, installed where that may be done, else told of.

use std::ffi::OsStr;
use std::fmt;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::step::{Step, cargo};

/// Packages whose service is named as they are, and begins when they are installed.
const SERVICES: [&str; 2] = ["pgbouncer", "postgresql"];

/// A program's major and minor version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version(pub(crate) u32, pub(crate) u32);

/// Whether a program is there and answers.
pub(crate) fn has(program: &str, args: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// Whether Debian's packages may be installed: on Debian or a child of it, as root.
pub(crate) fn may_install_packages() -> bool {
    let id = Command::new("id").arg("-u").output();
    Path::new("/etc/debian_version").exists() && id.is_ok_and(|id| id.stdout == b"0\n")
}

/// Makes sure of a program by installing Debian packages where that may be done. Says whether it is there, and new enough.
pub(crate) fn ensure_packages(program: &str, oldest: Version, packages: &[&str]) -> bool {
    let present = || version(program).is_some_and(|version| version >= oldest);
    let why = format!("tests need {program} {oldest} or later");
    present() || install_packages(packages, &why) && present()
}

/// Installs Debian packages into the system where that may be done, and what was unpacked under `target/` would not
/// do; says so first, and why. No service of theirs stays. Says whether it was done.
pub(crate) fn install_packages(packages: &[&str], why: &str) -> bool {
    if !may_install_packages() {
        return false;
    }
    let listed = packages.join(", ");
    eprintln!(
        "\n=== installing {listed} into the system: {why}, and they do not run from target/debian"
    );
    let install = [&["install", "--yes", "--no-install-recommends"], packages].concat();
    let steps = [
        Step::new("package lists", "apt-get", &["update"]),
        Step::new("packages", "apt-get", &install).env("DEBIAN_FRONTEND", "noninteractive"),
    ];
    let installed = succeed(&steps);
    for service in SERVICES.into_iter().filter(|service| packages.contains(service)) {
        // Where there is no systemd, there is nothing to be ended.
        let _ = Command::new("systemctl").args(["disable", "--now", service]).output();
    }
    installed
}

/// What a program says to `--version`; `None` where it is missing or says nothing of the kind.
pub(crate) fn version(program: impl AsRef<OsStr>) -> Option<Version> {
    let output = Command::new(program).arg("--version").stdin(Stdio::null()).output().ok()?;
    output.status.success().then(|| Version::find(&String::from_utf8_lossy(&output.stdout)))?
}

impl Version {
    /// The first version in a text: of `v20.11.1`, `Python 3.11.2`, `pip 23.0.1 from …`.
    fn find(text: &str) -> Option<Self> {
        text.split_whitespace().find_map(|word| {
            let mut numbers = word.trim_start_matches('v').split('.');
            Some(Self(numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
        })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

/// Makes sure of a cargo subcommand, from crates.io. Says whether it is there.
pub(crate) fn ensure_cargo_tool(tool: &'static str) -> bool {
    let subcommand = tool.trim_start_matches("cargo-");
    let present = || has("cargo", &[subcommand, "--version"]);
    present() || succeed(&[cargo("cargo tool", &format!("install --locked {tool}"))]) && present()
}

/// Runs steps one after another, until one fails.
pub(crate) fn succeed(steps: &[Step]) -> bool {
    steps.iter().all(|step| step.run().is_ok_and(|outcome| outcome.success))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_and_compared() {
        for (text, expected) in [
            ("v20.11.1\n", Some(Version(20, 11))),
            ("Python 3.9.2", Some(Version(3, 9))),
            ("pip 23.0.1 from /usr/lib/python3 (python 3.11)", Some(Version(23, 0))),
            ("10.8.2", Some(Version(10, 8))),
            ("no version at all", None),
        ] {
            assert_eq!(Version::find(text), expected, "in {text:?}");
        }
        assert!(Version(20, 11) > Version(20, 9) && Version(18, 19) < Version(20, 9));
    }

    #[test]
    fn a_program_that_is_missing_has_no_version() {
        assert_eq!(version("deskbell-has-no-such-program"), None);
    }
}
