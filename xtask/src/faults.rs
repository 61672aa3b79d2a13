//! `cargo xtask faults`: replicas under load and faults, and what must hold after each.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use crate::report::NotRun;
use crate::step::Step;
use crate::{plan, postgres, prerequisites, workspace};

/// Where Debian has libraries, and what leads from there to the one that turns clocks.
const LIBRARIES: &str = "/usr/lib";
const FAKETIME: &str = "faketime/libfaketime.so.1";

#[derive(Args)]
pub(crate) struct Options {
    /// Try the program as it is released
    #[arg(long)]
    release: bool,
    /// `--seeds N`, `--seed N`, `--only FAULT`, `--short`, `--report FILE`; see `--help` behind a `--`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

/// Builds the program, then runs package `deskbell-faults`, which does the rest.
pub(crate) fn run(options: &Options) -> ExitCode {
    let mut not_run = Vec::new();
    let arguments: Vec<&str> = options.arguments.iter().map(String::as_str).collect();
    let done = steps(options.release, &arguments, &mut not_run)
        .map(|steps| prerequisites::succeed(&steps));
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

/// The steps of a run with these arguments; else says what is missing. Without libfaketime one fault is not tried.
pub(crate) fn steps(
    release: bool,
    arguments: &[&str],
    not_run: &mut Vec<NotRun>,
) -> Result<Vec<Step>, String> {
    let (programs, account) = postgres::programs()?;
    let (profile, directory) = if release { (" --release", "release") } else { ("", "debug") };
    let build = plan::cargo("program under faults", &format!("build --package deskbell{profile}"));
    let target = workspace::target();
    let mut faults = plan::cargo("faults", "run --quiet --package deskbell-faults --");
    faults.args.extend(arguments.iter().map(|&argument| argument.to_owned()));
    let mut give = |flag: &str, value: String| faults.args.extend([flag.to_owned(), value]);
    give("--program", target.join(directory).join("deskbell").display().to_string());
    give("--directory", target.join("faults").display().to_string());
    give("--postgres-bin", programs.display().to_string());
    if let Some(account) = account {
        give("--postgres-account", account);
    }
    match faketime() {
        Some(library) => give("--faketime", library.display().to_string()),
        None => not_run.push(NotRun {
            what: "the fault of a clock that is off".to_owned(),
            install: "install libfaketime".to_owned(),
        }),
    }
    Ok(vec![build, faults])
}

/// The library that turns the clock of one process, installed where that may be done.
fn faketime() -> Option<PathBuf> {
    let installed = || prerequisites::install_packages(&["libfaketime"]).then(find).flatten();
    find().or_else(installed)
}

fn find() -> Option<PathBuf> {
    let directories = fs::read_dir(Path::new(LIBRARIES)).into_iter().flatten().flatten();
    directories.map(|directory| directory.path().join(FAKETIME)).find(|library| library.exists())
}
