//! `cargo xtask faults`: replicas under load and faults, and what must hold after each.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use crate::report::NotRun;
use crate::step::{Step, cargo};
use crate::{postgres, prerequisites, unpacked, workspace};

/// Where Debian has libraries, and what leads from there to the one that turns clocks.
const LIBRARIES: &str = "/usr/lib";
const FAKETIME: &str = "faketime/libfaketime.so.1";

#[derive(Args)]
pub(crate) struct Options {
    /// Try the program as it is released
    #[arg(long)]
    release: bool,
    /// `--seeds N`, `--seed N`, `--only FAULT`, `--short`, `--report FILE`; after `--` also `--help`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

/// Builds the program and package `deskbell-faults`, which does the rest.
pub(crate) fn run(options: &Options) -> ExitCode {
    let mut not_run = Vec::new();
    let profile = if options.release { " --release" } else { "" };
    let packages = "--package deskbell --package deskbell-faults";
    let build = cargo("program under faults", &format!("build{profile} {packages}"));
    let arguments: Vec<&str> = options.arguments.iter().map(String::as_str).collect();
    let done = step(options.release, &arguments, &mut not_run)
        .map(|faults| prerequisites::succeed(&[build, faults]));
    for NotRun { what, install } in &not_run {
        eprintln!("NOT RUN\n  {what}: {install}");
    }
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(install) => {
            eprintln!("failed: {install}");
            ExitCode::FAILURE
        }
    }
}

/// The quick faults, on the programs that the tests were run on.
pub(crate) fn short(not_run: &mut Vec<NotRun>) -> Result<Step, String> {
    step(false, &["--short"], &mut Vec::new()).inspect_err(|install| {
        not_run.push(NotRun { what: "faults".to_owned(), install: install.clone() });
    })
}

/// A run with these arguments; else says what is missing. Without libfaketime one fault is not tried.
fn step(release: bool, arguments: &[&str], not_run: &mut Vec<NotRun>) -> Result<Step, String> {
    let (postgres, account) = postgres::programs()?;
    let target = workspace::target();
    let programs = target.join(if release { "release" } else { "debug" });
    let path = |path: PathBuf| path.display().to_string();
    let mut step = Step::new("faults", &path(programs.join("deskbell-faults")), arguments);
    let mut give = |flag: &str, value: String| step.args.extend([flag.to_owned(), value]);
    give("--program", path(programs.join("deskbell")));
    give("--directory", path(target.join("faults")));
    // Empty where they are in the path.
    if !postgres.as_os_str().is_empty() {
        give("--postgres-bin", path(postgres));
    }
    if let Some(account) = account {
        give("--postgres-account", account);
    }
    if arguments.contains(&"--short") {
        return Ok(step);
    }
    match faketime() {
        Some(library) => give("--faketime", path(library)),
        None => not_run.push(NotRun {
            what: "the fault of a clock that is off".to_owned(),
            install: "install libfaketime".to_owned(),
        }),
    }
    Ok(step)
}

/// The library that turns the clock of one process, installed where that may be done.
fn faketime() -> Option<PathBuf> {
    let why = "one of the faults turns the clock of a process";
    let install = || prerequisites::install_packages(&["libfaketime"], why);
    faketime_library().or_else(|| install().then(faketime_library).flatten())
}

pub(crate) fn faketime_library() -> Option<PathBuf> {
    let parents = [PathBuf::from(LIBRARIES), unpacked::root().join("usr/lib")];
    let directories = parents.iter().flat_map(|parent| fs::read_dir(parent).into_iter().flatten());
    let libraries = directories.flatten().map(|directory| directory.path().join(FAKETIME));
    libraries.into_iter().find(|library| library.exists())
}
