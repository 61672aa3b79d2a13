//! Where the workspace is, and what its manifests say.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::environment;

pub(crate) fn root() -> &'static Path {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask)
}

/// The directory that builds, and what tests need, are put into.
pub(crate) fn target() -> PathBuf {
    metadata()["target_directory"].as_str().map_or_else(|| root().join("target"), PathBuf::from)
}

/// Every feature of every crate, as `crate/feature`.
pub(crate) fn features() -> Vec<String> {
    let metadata = metadata();
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let mut features: Vec<String> = packages
        .flat_map(|package| {
            let name = package["name"].as_str().unwrap_or_default();
            let features = package["features"].as_object().into_iter().flatten();
            features.map(move |(feature, _)| format!("{name}/{feature}"))
        })
        .collect();
    features.sort();
    features
}

/// What `cargo metadata` says about the workspace's own crates; null where it fails, which the next step then explains.
fn metadata() -> Value {
    let output = Command::new(environment::cargo())
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .current_dir(root())
        .output();
    output.ok().and_then(|output| serde_json::from_slice(&output.stdout).ok()).unwrap_or_default()
}
