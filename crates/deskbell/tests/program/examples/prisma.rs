//! The mirror in PostgreSQL, introspected and queried by Prisma.

use super::directory;
use super::packages::{self, run};
use super::readme::{blocks, trigger};
use super::sandbox::{Backend, Sandbox};
use crate::program::support::destination_at;

#[tokio::test]
async fn the_tables_read_well_from_typescript() {
    let readme = std::fs::read_to_string(directory("prisma").join("README.md")).unwrap();
    let sandbox = Sandbox::new("prisma", Backend::Postgres).await;
    packages::install("prisma", &sandbox);
    let serving = sandbox.serve().await;
    let lines = blocks(&readme, "sh").concat();
    let triggers: Vec<_> =
        lines.into_iter().filter(|line| line.starts_with("deskbell trigger ")).collect();
    for line in &triggers {
        trigger(line, &sandbox.path(), &serving).await;
    }
    destination_at(&sandbox.url(), "app", i64::try_from(triggers.len()).unwrap()).await;

    // The schema as it is in the example fits, and so does the one that Prisma finds itself.
    for found in [false, true] {
        if found {
            run("npx prisma db pull", &sandbox).await;
        }
        run("npx prisma generate", &sandbox).await;
        run("npx tsc", &sandbox).await;
        let printed = run("npx tsx query.ts", &sandbox).await;
        let printed: Vec<_> = printed.lines().collect();
        assert_eq!(printed, blocks(&readme, "text")[0], "found: {found}");
    }
    assert_eq!(serving.terminate().await.0, 0);
}

#[tokio::test]
async fn the_tables_of_the_app_are_those_that_prisma_makes() {
    let example = directory("prisma-app");
    let readme = std::fs::read_to_string(example.join("README.md")).unwrap();
    let sandbox = Sandbox::new("prisma-app", Backend::Postgres).await;
    packages::install("prisma-app", &sandbox);
    let copy = blocks(&readme, "sh").concat().into_iter().find(|line| line.starts_with("cp "));
    run(copy.unwrap(), &sandbox).await;
    let diff = "npx prisma migrate diff --from-empty --script --to-schema-datamodel schema.prisma";
    let made = run(diff, &sandbox).await.replace("CREATE SCHEMA IF NOT EXISTS \"public\";", "");
    let shown = std::fs::read_to_string(example.join("schema.postgres.sql")).unwrap();
    let (shown, _) = shown.split_once("-- Somebody").unwrap();
    assert_eq!(lines(&made), lines(shown));
    run("npx prisma generate", &sandbox).await;
    run("npx tsc", &sandbox).await;
}

/// The lines of a script, without comments and empty ones.
fn lines(script: &str) -> Vec<&str> {
    script.lines().filter(|line| !line.is_empty() && !line.starts_with("--")).collect()
}
