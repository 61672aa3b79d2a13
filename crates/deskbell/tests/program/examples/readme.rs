//! What an example's README shows is what happens.

use std::path::Path;

use tokio::process::Command;

use super::sandbox::{Backend, Sandbox};
use super::{BACKENDS, directory, packages};
use crate::program::support::{SECRET, Serving, destination_at, finish};

const QUERIES: [&str; 2] =
    ["sqlite3 -header app.db '", "psql -A -P footer=off \"$DATABASE_URL\" -c '"];

/// The lines of the blocks in this language.
pub(super) fn blocks<'a>(readme: &'a str, language: &str) -> Vec<Vec<&'a str>> {
    let fence = format!("```{language}\n");
    let blocks = readme.split(fence.as_str()).skip(1);
    blocks.map(|block| block.split("\n```").next().unwrap().lines().collect()).collect()
}

/// Lines whose work is done otherwise here: the sandbox has the tables, `cargo xtask test` the packages.
const DONE: [&str; 5] = [
    "sqlite3 app.db < schema.",
    "psql \"$DATABASE_URL\" -f schema.",
    "npm ci ",
    "python3 -m venv ",
    "pip install ",
];
/// Lines that run a program of the example's, with packages, or copy a part of one.
const PROGRAMS: [&str; 3] = ["cp ../", "npx ", "python3 "];

async fn holds(example: &str, backends: &[Backend]) {
    let readme = std::fs::read_to_string(directory(example).join("README.md")).unwrap();
    for &backend in backends {
        let sandbox = Sandbox::new(example, backend).await;
        packages::install(example, &sandbox);
        let mut serving = None;
        let mut shown = blocks(&readme, "text").into_iter();
        let mut sent = 0;
        for line in blocks(&readme, "sh").concat() {
            let query = QUERIES.iter().find_map(|query| line.strip_prefix(query));
            if line == "deskbell serve" {
                serving = Some(sandbox.serve().await);
            } else if line.starts_with("deskbell trigger ") {
                trigger(line, &sandbox.path(), serving.as_ref().unwrap()).await;
                sent += 1;
            } else if query.is_some() || line.contains(" query.") {
                destination_at(&sandbox.url(), "app", sent).await;
                let found = if let Some(query) = query {
                    let (names, rows) = sandbox.query(query.strip_suffix('\'').unwrap()).await;
                    [vec![names], rows].concat()
                } else {
                    packages::run(line, &sandbox).await.lines().map(str::to_owned).collect()
                };
                assert_eq!(found, shown.next().unwrap(), "{example}, {backend:?}: {line}");
            } else if !DONE.iter().any(|done| line.starts_with(done)) {
                assert!(PROGRAMS.iter().any(|program| line.starts_with(program)), "{line}");
                packages::run(line, &sandbox).await;
            }
        }
        assert_eq!(shown.next(), None, "each shown result has its query");
        assert!(sent > 0);
        assert_eq!(serving.unwrap().terminate().await.0, 0);
    }
}

/// Runs the line in a shell, as a reader does.
pub(super) async fn trigger(line: &str, directory: &Path, serving: &Serving) {
    let program = Path::new(env!("CARGO_BIN_EXE_deskbell")).parent().unwrap();
    let mut shell = Command::new("/bin/sh");
    shell
        .args(["-c", &format!("{line} --url {}", serving.url())])
        .current_dir(directory)
        .env_clear()
        .env("PATH", program)
        .env("DATABASE_URL", "sqlite://app.db")
        .env("CLERK_WEBHOOK_SIGNING_SECRET", SECRET);
    let ran = finish(&mut shell).await;
    assert_eq!(ran.code, 0, "{line}: {}{}", ran.stdout, ran.stderr);
}

#[tokio::test]
async fn of_the_users_table() {
    holds("users-table", &BACKENDS).await;
}

#[tokio::test]
async fn of_the_team_members() {
    holds("team-members", &BACKENDS).await;
}

#[tokio::test]
async fn of_the_soft_delete() {
    holds("soft-delete", &BACKENDS).await;
}

#[tokio::test]
async fn of_the_billing() {
    holds("billing", &BACKENDS).await;
}

#[cfg(feature = "interop")]
#[tokio::test]
async fn of_the_prisma_app() {
    holds("prisma-app", &[Backend::Postgres]).await;
}

#[cfg(feature = "interop")]
#[tokio::test]
async fn of_the_drizzle_app() {
    holds("drizzle-app", &[Backend::Postgres]).await;
}

#[cfg(feature = "interop")]
#[tokio::test]
async fn of_django() {
    holds("django", &BACKENDS).await;
}
