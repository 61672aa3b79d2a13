//! The mirror in PostgreSQL, introspected and queried by Prisma.

use std::path::Path;

use tokio::process::Command;

use super::directory;
use super::readme::{blocks, trigger};
use super::sandbox::{Backend, Sandbox};
use crate::program::support::{destination_at, finish};

const FILES: [&str; 5] =
    ["package.json", "prisma.config.ts", "schema.prisma", "query.ts", "tsconfig.json"];
const PRISMA: &str = "prisma/build/index.js";

/// Runs a program of the packages' and returns what it prints.
async fn node(at: &Path, url: &str, arguments: &[&str]) -> String {
    let mut command = Command::new("node");
    let [program, arguments @ ..] = arguments else { panic!("a program") };
    command.arg(at.join("node_modules").join(program)).args(arguments);
    command.current_dir(at).env("DATABASE_URL", url).env("PRISMA_HIDE_UPDATE_MESSAGE", "1");
    let ran = finish(&mut command).await;
    assert_eq!(ran.code, 0, "{program} {arguments:?}: {}{}", ran.stdout, ran.stderr);
    ran.stdout
}

fn link_packages(at: &Path) {
    let packages = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let packages = packages.join("interop/prisma/node_modules");
    std::os::unix::fs::symlink(packages, at.join("node_modules")).unwrap();
}

#[tokio::test]
async fn the_tables_read_well_from_typescript() {
    let example = directory("prisma");
    let readme = std::fs::read_to_string(example.join("README.md")).unwrap();
    let sandbox = Sandbox::new("prisma", Backend::Postgres).await;
    let serving = sandbox.serve().await;
    let lines = blocks(&readme, "sh").concat();
    let triggers: Vec<_> =
        lines.into_iter().filter(|line| line.starts_with("deskbell trigger ")).collect();
    for line in &triggers {
        trigger(line, &sandbox.path(), &serving).await;
    }
    destination_at(&sandbox.url(), "app", i64::try_from(triggers.len()).unwrap()).await;

    let (at, url) = (sandbox.path(), sandbox.url());
    for file in FILES {
        std::fs::copy(example.join(file), at.join(file)).unwrap();
    }
    link_packages(&at);
    // The schema as it is in the example fits, and so does the one that Prisma finds itself.
    for found in [false, true] {
        if found {
            node(&at, &url, &[PRISMA, "db", "pull"]).await;
        }
        node(&at, &url, &[PRISMA, "generate"]).await;
        node(&at, &url, &["typescript/bin/tsc"]).await;
        let printed = node(&at, &url, &["tsx/dist/cli.mjs", "query.ts"]).await;
        let printed: Vec<_> = printed.lines().collect();
        assert_eq!(printed, blocks(&readme, "text")[0], "found: {found}");
    }
    assert_eq!(serving.terminate().await.0, 0);
}

#[tokio::test]
async fn the_tables_of_a_model_are_those_that_prisma_makes() {
    let (example, sandbox) =
        (directory("prisma-models"), Sandbox::new("prisma-models", Backend::Postgres).await);
    let at = sandbox.path();
    for file in ["package.json", "prisma.config.ts", "tsconfig.json"] {
        std::fs::copy(directory("prisma").join(file), at.join(file)).unwrap();
    }
    std::fs::copy(example.join("schema.prisma"), at.join("schema.prisma")).unwrap();
    link_packages(&at);
    let diff = ["migrate", "diff", "--from-empty", "--script", "--to-schema-datamodel"];
    let made =
        node(&at, &sandbox.url(), &[&[PRISMA], &diff[..], &["schema.prisma"]].concat()).await;
    let shown = std::fs::read_to_string(example.join("schema.postgres.sql")).unwrap();
    let (shown, _) = shown.split_once("-- Somebody").unwrap();
    let made = made.replace("CREATE SCHEMA IF NOT EXISTS \"public\";", "");
    assert_eq!(lines(&made), lines(shown));
}

/// The lines of a script, without comments and empty ones.
fn lines(script: &str) -> Vec<&str> {
    script.lines().filter(|line| !line.is_empty() && !line.starts_with("--")).collect()
}
