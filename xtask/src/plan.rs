//! The steps of `cargo xtask test`, in order.

use crate::environment::TEST_POSTGRES;
use crate::step::{Step, cargo};

/// How many cases a property is tried on in a long run; the default run leaves that to each property.
const PROPTEST_CASES_LONG: &str = "4096";

/// How the tests are run.
#[derive(Debug, Clone)]
pub(crate) struct Tests {
    /// nextest is installed; else `cargo test` does.
    pub(crate) nextest: bool,
    /// The arguments that select the features.
    pub(crate) features: Vec<String>,
    pub(crate) long: bool,
    /// The PostgreSQL server, where there is one.
    pub(crate) postgres: Option<String>,
}

/// The steps before anything is installed: quick to fail.
pub(crate) fn lints(all: bool) -> Vec<Step> {
    let mut steps = vec![
        cargo("format", "fmt --all --check"),
        cargo("lints", "clippy --workspace --all-targets --all-features -- -D warnings"),
    ];
    if all {
        // Its dependencies are built once more, with the features of this crate alone.
        let alone = "check --package clerk-webhooks --no-default-features";
        steps.push(cargo("library without features", alone));
    }
    steps
}

/// The arguments for all of these features but some, whose tests are not run.
pub(crate) fn features(all: &[String], without: &[String]) -> Vec<String> {
    if without.is_empty() {
        return vec!["--all-features".to_owned()];
    }
    let kept: Vec<_> =
        all.iter().filter(|feature| !without.contains(feature)).map(String::as_str).collect();
    vec!["--features".to_owned(), kept.join(",")]
}

pub(crate) fn tests(tests: &Tests) -> Step {
    let run = if tests.nextest {
        "nextest run --workspace --no-fail-fast"
    } else {
        "test --workspace --lib --bins --tests --examples --no-fail-fast"
    };
    let mut step = cargo("tests", run).args(&tests.features);
    if tests.long {
        step = step.env("DESKBELL_TEST_LONG", "1").env("PROPTEST_CASES", PROPTEST_CASES_LONG);
    }
    with_postgres(step, tests)
}

fn with_postgres(step: Step, tests: &Tests) -> Step {
    match &tests.postgres {
        Some(url) => step.for_this_run(TEST_POSTGRES, url),
        None => step,
    }
}

/// The official Rust crates, in a workspace of their own: they bring in what this one bans.
pub(crate) fn interop_with_crates(all: bool) -> Vec<Step> {
    let manifest = "--manifest-path tests/interop/rust/Cargo.toml";
    let (heading, svix) = match all {
        true => ("interop with the crates svix and standardwebhooks", " --features svix"),
        false => ("interop with the crate standardwebhooks", ""),
    };
    vec![
        cargo("format of the interop crate", &format!("fmt {manifest} --check")),
        cargo(heading, &format!("test --locked {manifest}{svix}"))
            .env("CARGO_TARGET_DIR", "target/interop/rust"),
    ]
}

/// The documentation, and the examples in it; with the features of the tests, so that nothing is built twice.
pub(crate) fn documentation(tests: &Tests) -> Vec<Step> {
    let doc = cargo("documentation", "doc --workspace --no-deps").args(&tests.features);
    let examples = cargo("documentation tests", "test --workspace --doc").args(&tests.features);
    vec![doc.env("RUSTDOCFLAGS", "-D warnings"), with_postgres(examples, tests)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(nextest: bool, without: &[&str], long: bool) -> String {
        let all = ["a/x", "b/interop", "b/y"].map(str::to_owned);
        let without: Vec<_> = without.iter().map(|&name| name.to_owned()).collect();
        let features = features(&all, &without);
        tests(&Tests { nextest, features, long, postgres: None }).to_string()
    }

    #[test]
    fn tests_run_with_every_feature_unless_one_is_left_out() {
        assert_eq!(
            plan(true, &[], false),
            "cargo nextest run --workspace --no-fail-fast --all-features"
        );
        assert_eq!(
            plan(true, &["b/interop"], false),
            "cargo nextest run --workspace --no-fail-fast --features a/x,b/y"
        );
        assert!(plan(false, &[], false).starts_with("cargo test --workspace --lib"));
    }

    #[test]
    fn a_long_run_says_so_to_the_tests() {
        let step = plan(true, &[], true);
        assert!(
            step.starts_with("DESKBELL_TEST_LONG=1 PROPTEST_CASES=4096 cargo nextest"),
            "{step}"
        );
    }
}
