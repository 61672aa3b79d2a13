//! What an example's README shows is what happens.

use std::path::Path;

use tokio::process::Command;

use super::sandbox::{Backend, Sandbox};
use super::{BACKENDS, directory};
use crate::program::support::{SECRET, Serving, destination_at, finish};

const QUERIES: [&str; 2] =
    ["sqlite3 -header app.db '", "psql -A -P footer=off \"$DATABASE_URL\" -c '"];

/// The lines of the blocks in this language.
pub(super) fn blocks<'a>(readme: &'a str, language: &str) -> Vec<Vec<&'a str>> {
    let fence = format!("```{language}\n");
    let blocks = readme.split(fence.as_str()).skip(1);
    blocks.map(|block| block.split("\n```").next().unwrap().lines().collect()).collect()
}

async fn holds(example: &str, backends: &[Backend]) {
    let readme = std::fs::read_to_string(directory(example).join("README.md")).unwrap();
    for &backend in backends {
        let sandbox = Sandbox::new(example, backend).await;
        let serving = sandbox.serve().await;
        let mut shown = blocks(&readme, "text").into_iter();
        let mut sent = 0;
        for line in blocks(&readme, "sh").concat() {
            if line.starts_with("deskbell trigger ") {
                trigger(line, &sandbox.path(), &serving).await;
                sent += 1;
            } else if let Some(query) = QUERIES.iter().find_map(|query| line.strip_prefix(query)) {
                destination_at(&sandbox.url(), "app", sent).await;
                let (names, rows) = sandbox.query(query.strip_suffix('\'').unwrap()).await;
                let expected = shown.next().unwrap();
                assert_eq!(
                    [vec![names], rows].concat(),
                    expected,
                    "{example}, {backend:?}: {line}"
                );
            } else {
                let known = [
                    "deskbell serve",
                    "sqlite3 app.db < schema.",
                    "psql \"$DATABASE_URL\" -f schema.",
                ];
                assert!(known.iter().any(|known| line.starts_with(known)), "{line}");
            }
        }
        assert_eq!(shown.next(), None, "each shown result has its query");
        assert!(sent > 0);
        assert_eq!(serving.terminate().await.0, 0);
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

#[tokio::test]
async fn of_the_prisma_models() {
    holds("prisma-models", &[Backend::Postgres]).await;
}
