//! `deskbell schema print --format …`: what is printed is read by the tools that it is for, at their newest
//! versions, and queries a real mirror. `cargo xtask test` installs them in `target/interop`.

use std::path::{Path, PathBuf};

use tempfile::TempDir;
use testkit::PostgresDatabase;
use tokio::process::Command;

use super::support::{Ran, Serving, deskbell, destination_at, directory, finish, run, trigger};

const FORMATS: [(&str, &str); 4] = [
    ("prisma", "schema/clerk.prisma"),
    ("drizzle", "clerk_drizzle.ts"),
    ("typescript", "clerk_typescript.ts"),
    ("kysely", "clerk_kysely.ts"),
];

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/interop/models")
}

/// A directory with the programs for this kind of database, the packages, and what is printed.
async fn project(dialect: &str) -> TempDir {
    let project = tempfile::tempdir().unwrap();
    let into = |name: &str| project.path().join(name);
    std::fs::create_dir(into("schema")).unwrap();
    for entry in std::fs::read_dir(sources().join(dialect)).unwrap() {
        let file = entry.unwrap();
        let name = file.file_name().into_string().unwrap();
        let is_schema = name.ends_with(".prisma");
        let name = if is_schema { format!("schema/{name}") } else { name };
        std::fs::copy(file.path(), into(&name)).unwrap();
    }
    std::fs::copy(sources().join("tsconfig.json"), into("tsconfig.json")).unwrap();
    std::fs::copy(sources().join("package.json"), into("package.json")).unwrap();
    let interop = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("interop");
    std::os::unix::fs::symlink(interop.join("models/node_modules"), into("node_modules")).unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    for (format, file) in FORMATS {
        let arguments = ["schema", "print", "--format", format, "--dialect", dialect];
        let printed = run(elsewhere.path(), &arguments).await;
        assert_eq!(printed.code, 0, "{format}: {}", printed.stderr);
        std::fs::write(into(file), printed.stdout).unwrap();
    }
    project
}

/// Runs one of the packages' programs.
async fn tool(project: &Path, line: &str, url: &str) -> String {
    let script = format!("PATH=\"$PWD/node_modules/.bin:$PATH\"; {line}");
    let mut shell = Command::new("/bin/sh");
    shell
        .args(["-c", &script])
        .current_dir(project)
        .env("DATABASE_URL", url)
        .env("PRISMA_HIDE_UPDATE_MESSAGE", "1")
        // Neither command runs that engine, and it would be downloaded.
        .env("PRISMA_SCHEMA_ENGINE_BINARY", "/bin/true");
    let Ran { code, stdout, stderr } = finish(&mut shell).await;
    assert_eq!(code, 0, "{line}: {stdout}{stderr}");
    stdout
}

#[tokio::test]
async fn the_tools_accept_every_format_and_read_the_mirror() {
    let database = PostgresDatabase::with_owner().await;
    let url = database.url();
    let served = directory();
    let config = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\n\n[[destination]]\nname = \"app\"\n\
         type = \"database\"\nurl = \"{url}\"\n"
    );
    std::fs::write(served.path().join("deskbell.toml"), config).unwrap();
    let serving = Serving::of(deskbell(served.path())).await;
    let set = ["data.id=user_mira", r#"data.public_metadata={"plan":"pro"}"#];
    trigger(served.path(), &serving.url(), "user.created", "msg_1", &set).await;
    destination_at(&url, "app", 1).await;

    let project = project("postgres").await;
    for line in ["prisma validate", "prisma generate", "tsc"] {
        tool(project.path(), line, &url).await;
    }
    let expected = "user_mira|mira.lindqvist@example.com|2026-01-05T09:04:22.417Z|pro|1";
    for program in ["query_prisma.ts", "query_drizzle.ts", "query_kysely.ts"] {
        let read = tool(project.path(), &format!("tsx {program}"), &url).await;
        assert_eq!(read.trim(), expected, "{program}");
    }
    assert_eq!(serving.terminate().await.0, 0);
}

#[tokio::test]
async fn the_tools_accept_every_format_for_sqlite() {
    let project = project("sqlite").await;
    for line in ["prisma validate", "prisma generate", "tsc"] {
        tool(project.path(), line, "file:./clerk.db").await;
    }
}
