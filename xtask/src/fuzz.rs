//! Fuzzing at depth: every target of the library, for minutes, in the long run only.

use std::fs;

use crate::prerequisites;
use crate::report::NotRun;
use crate::step::{Step, cargo};
use crate::workspace;

const FUZZ_DIR: &str = "crates/clerk-webhooks/fuzz";
const SECONDS_A_TARGET: &str = "180";

/// A step a fuzz target; none where cargo-fuzz cannot be had, which is reported.
pub(crate) fn steps(not_run: &mut Vec<NotRun>) -> Vec<Step> {
    if !prerequisites::ensure_cargo_tool("cargo-fuzz") {
        let install = "cargo install --locked cargo-fuzz".to_owned();
        not_run.push(NotRun { what: "fuzzing".to_owned(), install });
        return Vec::new();
    }
    targets().iter().map(|target| step(target)).collect()
}

/// The sanitizer flags of cargo-fuzz are unstable ones, so a stable toolchain has to be allowed them.
fn step(target: &str) -> Step {
    let run = format!(
        "fuzz run --fuzz-dir {FUZZ_DIR} {target} -- -max_total_time={SECONDS_A_TARGET} -timeout=10"
    );
    cargo("fuzzing", &run).env("RUSTC_BOOTSTRAP", "1")
}

/// The names of the files in `fuzz_targets`.
fn targets() -> Vec<String> {
    let directory = workspace::root().join(FUZZ_DIR).join("fuzz_targets");
    let files = fs::read_dir(directory).into_iter().flatten().flatten();
    let mut targets: Vec<String> = files
        .filter_map(|file| Some(file.file_name().to_str()?.strip_suffix(".rs")?.to_owned()))
        .collect();
    targets.sort();
    targets
}
