//! What tests need beside Rust: looked for, installed where that may be done, else told of.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::plan;
use crate::step::Step;

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

/// Makes sure of a program by installing Debian packages where that may be done. Says whether it is there.
pub(crate) fn ensure_packages(program: &str, packages: &[&str]) -> bool {
    if has(program, &["--version"]) {
        return true;
    }
    if !may_install_packages() {
        return false;
    }
    let install = [&["install", "--yes", "--no-install-recommends"], packages].concat();
    let steps = [
        Step::new("package lists", "apt-get", &["update"]),
        Step::new("packages", "apt-get", &install).env("DEBIAN_FRONTEND", "noninteractive"),
    ];
    succeed(&steps) && has(program, &["--version"])
}

/// Makes sure of a cargo subcommand, from crates.io. Says whether it is there.
pub(crate) fn ensure_cargo_tool(tool: &'static str) -> bool {
    let subcommand = tool.trim_start_matches("cargo-");
    let present = || has("cargo", &[subcommand, "--version"]);
    present()
        || succeed(&[plan::cargo("cargo tool", &format!("install --locked {tool}"))]) && present()
}

/// Runs steps one after another, until one fails.
pub(crate) fn succeed(steps: &[Step]) -> bool {
    steps.iter().all(|step| step.run().is_ok_and(|outcome| outcome.success))
}
