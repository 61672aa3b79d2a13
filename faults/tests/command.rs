//! The command as `cargo xtask faults` runs it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::{Command, Output};

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_deskbell-faults")).args(arguments).output().unwrap()
}

#[test]
fn every_fault_is_explained() {
    let help = String::from_utf8(run(&["--help"]).stdout).unwrap();
    for (fault, word) in [
        ("kill", "kill -9"),
        ("kill-sqlite", "SQLite"),
        ("freeze", "SIGSTOP"),
        ("restart-fast", "restarts"),
        ("restart-immediate", "crashes"),
        ("cut", "cut"),
        ("delay", "200 ms"),
        ("half-open", "silent"),
        ("full", "grow"),
        ("clock", "hour"),
    ] {
        let explained = |line: &str| {
            let rest = line.trim().strip_prefix("- ").and_then(|line| line.strip_prefix(fault));
            rest.is_some_and(|rest| rest.starts_with(':') && rest.contains(word))
        };
        assert!(help.lines().any(explained), "{fault} in:\n{help}");
    }
}

#[test]
fn a_fault_that_there_is_not_is_refused() {
    let output = run(&["--only", "flood", "--program", "x", "--directory", "y"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("flood"));
}
