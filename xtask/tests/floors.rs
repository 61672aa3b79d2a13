//! Dependencies between our crates point downwards only, and each crate keeps out what its floor must not know.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::Value;

/// Every crate of the workspace and its floor. An arrow goes from a floor to a lower one.
const FLOORS: &[(&str, u8)] = &[
    ("clerk-webhooks", 0),
    ("clerk-api", 0),
    ("deskbell-config", 0),
    ("deskbell-expr", 1),
    ("deskbell-store", 1),
    ("deskbell-sim", 1),
    ("deskbell-admin", 2),
    ("deskbell-devtools", 2),
    ("deskbell-sync", 2),
    ("deskbell-delivery", 2),
    ("deskbell-dashboard", 3),
    ("deskbell-server", 3),
    ("deskbell-trust", 3),
    ("deskbell", 4),
    ("testkit", 5),
    ("deskbell-bench", 6),
    ("deskbell-faults", 6),
    ("webhook-apps", 6),
    ("xtask", 6),
];

/// Foreign crates that a crate must not name, and why.
const FORBIDDEN: &[(&[&str], &[&str], &str)] = &[
    (
        &[
            "clerk-webhooks",
            "clerk-api",
            "deskbell-store",
            "deskbell-sync",
            "deskbell-delivery",
            "deskbell-trust",
            "deskbell-devtools",
        ],
        &["axum"],
        "only deskbell-server serves HTTP (the library's extractor stands on axum-core)",
    ),
    (
        &["deskbell-store", "deskbell-sync", "deskbell-trust"],
        &["hyper", "reqwest"],
        "what must be fetched comes through a trait, or through clerk-api",
    ),
    (
        &[
            "clerk-webhooks",
            "clerk-api",
            "deskbell-sim",
            "deskbell-server",
            "deskbell-trust",
            "deskbell-devtools",
            "deskbell",
        ],
        &["sqlx", "rusqlite"],
        "SQL lives in deskbell-store and deskbell-sync",
    ),
    (
        &[
            "clerk-webhooks",
            "deskbell-store",
            "deskbell-sync",
            "deskbell-delivery",
            "deskbell-server",
            "deskbell",
        ],
        &["cel"],
        "expressions are compiled and evaluated by deskbell-expr",
    ),
    (&["clerk-webhooks"], &["tokio", "reqwest"], "the library has no runtime and no I/O"),
];

/// Crates that any crate may use in its tests, whatever their floor.
const FOR_TESTS: &[&str] = &["deskbell-sim", "testkit"];

#[derive(Debug, Clone)]
struct Arrow {
    from: String,
    to: String,
    dev: bool,
}

fn arrow(from: &str, to: &str, dev: bool) -> Arrow {
    Arrow { from: from.to_owned(), to: to.to_owned(), dev }
}

/// What `cargo metadata` reads from the workspace's manifests, renamed and target-specific dependencies included.
fn arrows() -> Vec<Arrow> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut arrows = Vec::new();
    for package in metadata["packages"].as_array().unwrap() {
        let from = package["name"].as_str().unwrap();
        for dependency in package["dependencies"].as_array().unwrap() {
            let to = dependency["name"].as_str().unwrap();
            arrows.push(arrow(from, to, dependency["kind"] == "dev"));
        }
        // A crate without dependencies must have a floor as well.
        arrows.push(arrow(from, "std", false));
    }
    arrows
}

fn violations(arrows: &[Arrow]) -> Vec<String> {
    let floors: BTreeMap<&str, u8> = FLOORS.iter().copied().collect();
    let mut violations = Vec::new();
    for Arrow { from, to, dev } in arrows {
        let Some(floor) = floors.get(from.as_str()) else {
            violations.push(format!("{from} has no floor: give it one in this test"));
            continue;
        };
        // A crate may name itself in its tests, to turn a feature on.
        let for_tests = from != "clerk-webhooks" && FOR_TESTS.contains(&to.as_str());
        let free = *dev && (for_tests || from == to);
        if floors.get(to.as_str()).is_some_and(|below| below >= floor) && !free {
            violations.push(format!("{from} must not depend on {to}: arrows point down only"));
        }
        for (crates, foreign, why) in FORBIDDEN {
            if !dev && crates.contains(&from.as_str()) && foreign.contains(&to.as_str()) {
                violations.push(format!("{from} must not name {to}: {why}"));
            }
        }
    }
    violations
}

#[test]
fn no_manifest_has_a_forbidden_dependency() {
    let violations = violations(&arrows());
    assert!(violations.is_empty(), "{}", violations.join("\n"));
}

#[test]
fn the_workspace_is_read() {
    let arrows = arrows();
    assert!(arrows.iter().any(|arrow| arrow.from == "deskbell-store" && arrow.to == "sqlx"));
    assert!(
        arrows.iter().any(|arrow| arrow.from == "deskbell-sync" && arrow.to == "deskbell-store")
    );
}

#[test]
fn forbidden_dependencies_are_found() {
    for (arrow, expected) in [
        (arrow("deskbell-store", "axum", false), 1),
        (arrow("deskbell-store", "deskbell-server", false), 1),
        (arrow("deskbell-sync", "deskbell-delivery", false), 1),
        (arrow("deskbell-sync", "deskbell-sim", true), 0),
        (arrow("deskbell-store", "deskbell-sim", true), 0),
        (arrow("deskbell-store", "deskbell-sim", false), 1),
        (arrow("deskbell-store", "testkit", true), 0),
        (arrow("deskbell", "testkit", false), 1),
        (arrow("deskbell-store", "deskbell-sync", true), 1),
        (arrow("deskbell-sync", "cel", false), 1),
        (arrow("deskbell-expr", "cel", false), 0),
        (arrow("deskbell-server", "sqlx", false), 1),
        (arrow("deskbell", "sqlx", false), 1),
        (arrow("deskbell", "sqlx", true), 0),
        (arrow("deskbell", "deskbell-server", false), 0),
        (arrow("clerk-webhooks", "deskbell-sim", true), 1),
        (arrow("clerk-webhooks", "tokio", false), 1),
        (arrow("deskbell-new", "std", false), 1),
        (arrow("deskbell-store", "xtask", true), 1),
        (arrow("deskbell-store", "deskbell-store", true), 0),
    ] {
        let found = violations(std::slice::from_ref(&arrow));
        assert_eq!(found.len(), expected, "{arrow:?}: {found:?}");
    }
}
