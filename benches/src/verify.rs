//! Verification of one message: runs the criterion benchmark beside the official crates, and reads its estimates.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::error::BenchError;
use crate::report::{Aim, Report, Row, target_directory};

/// A workspace of its own, since the official crates bring in what this one bans.
const MANIFEST: &str = "tests/interop/rust/Cargo.toml";

const OURS: &str = "clerk-webhooks";
/// Both limits: with the key's schedule in every message, as one would write it, and without, as ours does it.
const LIMITS: [&str; 2] = ["bare HMAC-SHA256", "bare HMAC-SHA256, key schedule kept"];
const RATIO_AIM: f64 = 1.12;

pub(crate) fn run() -> Result<Report, BenchError> {
    let target = target_directory()?.join("interop").join("rust");
    let home = target.join("criterion");
    if home.exists() {
        // A function that was renamed since would still be found.
        fs::remove_dir_all(&home)?;
    }
    let mut cargo = Command::new("cargo");
    cargo.args(["bench", "--locked", "--manifest-path", MANIFEST, "--features", "bench"]);
    cargo.env("CARGO_TARGET_DIR", &target).env("CRITERION_HOME", &home);
    if !cargo.status()?.success() {
        return Err(BenchError::Program { program: format!("cargo bench {MANIFEST}") });
    }
    let rows = estimates(&home)?;
    let aims = aims(&rows);
    Ok(Report::new("verify", rows, aims))
}

fn aims(rows: &[Row]) -> Vec<Aim> {
    let of = |what| rows.iter().find(|row| row.what == what).map(|row| row.numbers[0].1);
    let against = |limit| {
        let (ours, limit_ns) = (of(OURS)?, of(limit)?);
        Some(Aim::at_most(format!("ours against {limit}"), RATIO_AIM, ours / limit_ns))
    };
    LIMITS.into_iter().filter_map(against).collect()
}

/// The median of every function, the quickest first.
fn estimates(home: &Path) -> Result<Vec<Row>, BenchError> {
    let mut rows = Vec::new();
    for group in fs::read_dir(home)? {
        for function in fs::read_dir(group?.path()).into_iter().flatten() {
            let new = function?.path().join("new");
            if !new.join("estimates.json").exists() {
                continue;
            }
            let read = |file| -> Result<Value, BenchError> {
                Ok(serde_json::from_slice(&fs::read(new.join(file))?)?)
            };
            let (estimates, benchmark) = (read("estimates.json")?, read("benchmark.json")?);
            let what = benchmark["function_id"].as_str().unwrap_or_default().to_owned();
            let ns = estimates["median"]["point_estimate"].as_f64().unwrap_or_default();
            rows.push(Row { what, numbers: vec![("median_ns", ns)] });
        }
    }
    rows.sort_by(|a, b| a.numbers[0].1.total_cmp(&b.numbers[0].1));
    Ok(rows)
}
