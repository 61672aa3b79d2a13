//! `deskbell init`: what it writes is valid, fills the table that it was drafted for, and nothing is replaced
//! unasked.

use std::path::Path;

use serde_json::Value;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row, SqliteConnection};
use tempfile::TempDir;
use testkit::PostgresDatabase;
use tokio::process::Command;

use super::support::{Ran, Serving, deskbell, destination_at, finish, run, trigger};

/// What `prisma migrate` makes of an application's users, and a column that Clerk has nothing for.
const PRISMA: &str = r#"
CREATE TYPE "Role" AS ENUM ('MEMBER', 'ADMIN');
CREATE TABLE "User" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "clerkId" TEXT NOT NULL,
    "email" TEXT NOT NULL,
    "firstName" TEXT,
    "imageUrl" TEXT,
    "role" "Role" NOT NULL DEFAULT 'MEMBER',
    "seats" INTEGER,
    "createdAt" TIMESTAMPTZ NOT NULL DEFAULT now(),
    "updatedAt" TIMESTAMP(3) NOT NULL,
    "plan" "Role" NOT NULL
);
CREATE UNIQUE INDEX "User_clerkId_key" ON "User"("clerkId");
CREATE UNIQUE INDEX "User_email_key" ON "User"("email");
"#;

const SQLITE: &str = "
CREATE TABLE users (
    id INTEGER PRIMARY KEY,
    clerk_id TEXT NOT NULL UNIQUE,
    email TEXT,
    full_name TEXT NOT NULL,
    banned INTEGER NOT NULL,
    theme TEXT NOT NULL DEFAULT 'light',
    deleted_at DATETIME,
    updated_at DATETIME NOT NULL
);
INSERT INTO users (clerk_id, full_name, banned, theme, updated_at) VALUES ('user_ada', 'Ada', 0, 'dark', '');
";

fn read(directory: &Path, file: &str) -> String {
    std::fs::read_to_string(directory.join(file)).unwrap()
}

/// Has the server choose a port.
fn listen_anywhere(directory: &Path) {
    let config = read(directory, "deskbell.toml").replace("127.0.0.1:3000", "127.0.0.1:0");
    std::fs::write(directory.join("deskbell.toml"), config).unwrap();
}

async fn run_in(directory: &Path, url: &str, arguments: &[&str]) -> Ran {
    finish(deskbell(directory).env("DATABASE_URL", url).args(arguments)).await
}

async fn postgres(script: &str) -> PostgresDatabase {
    let database = PostgresDatabase::with_owner().await;
    let mut connection = PgConnection::connect(&database.url()).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(script.to_owned())).execute(&mut connection).await.unwrap();
    database
}

async fn sqlite(directory: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(directory.join("app.db"));
    SqliteConnection::connect_with(&options.create_if_missing(true)).await.unwrap()
}

#[tokio::test]
async fn the_defaults_are_a_valid_config_that_is_not_replaced_unasked() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let ran = run(path, &["init"]).await;
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stdout.contains("wrote ./deskbell.toml") && ran.stdout.contains("deskbell serve"));
    let checked = run(path, &["config", "check"]).await;
    assert_eq!((checked.code, &*checked.stderr), (0, ""), "{}", checked.stdout);
    let example = read(path, ".env.example");
    assert!(example.contains("CLERK_WEBHOOK_SIGNING_SECRET=\n"), "{example}");
    assert_eq!(std::fs::read_dir(path).unwrap().count(), 2);

    std::fs::write(path.join("deskbell.toml"), "# mine\n").unwrap();
    let again = run(path, &["init", "--yes"]).await;
    assert_eq!(again.code, 2, "{}", again.stdout);
    assert!(again.stderr.contains("deskbell.toml") && again.stderr.contains("--force"));
    assert_eq!(read(path, "deskbell.toml"), "# mine\n");
    assert_eq!(run(path, &["init", "--force"]).await.code, 0);
    assert!(read(path, "deskbell.toml").contains("[store]"));
}

#[tokio::test]
async fn what_deploys_it_is_written_by_choice_and_git_is_looked_at() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    std::fs::write(path.join(".gitignore"), "target\n").unwrap();
    let ran = run(path, &["init", "--compose", "--systemd", "--dir", "deploy"]).await;
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let deploy = path.join("deploy");
    let config = read(&deploy, "deskbell.toml");
    assert_eq!(config.matches("url = \"env:DATABASE_URL\"").count(), 2, "{config}");
    assert!(read(&deploy, "compose.yaml").contains("image: postgres:"));
    assert!(read(&deploy, "deskbell.service").contains("ProtectSystem=strict"));
    assert!(read(&deploy, ".env.example").contains("POSTGRES_PASSWORD=\n"));

    let here = run(path, &["init", "--print"]).await;
    assert_eq!(here.code, 0, "{}", here.stderr);
    assert!(here.stdout.contains("==> ./deskbell.toml <=="), "{}", here.stdout);
    assert!(!path.join("deskbell.toml").exists(), "it is only printed");
    let here = run(path, &["init"]).await;
    assert!(here.stderr.contains("git does not ignore `.env`"), "{}", here.stderr);
}

#[tokio::test]
async fn a_table_of_prisma_is_filled_once_every_column_has_a_value() {
    let database = postgres(PRISMA).await;
    let directory = tempfile::tempdir().unwrap();
    let (path, url) = (directory.path(), database.url());
    let arguments = ["init", "--json", "--database", &url, "--table", "public.\"User\""];
    let ran = run_in(path, "", &arguments).await;
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    let unfilled = report["table"]["unfilled"].as_array().unwrap();
    assert_eq!(unfilled.len(), 1, "{report:#}");
    assert_eq!(unfilled[0]["column"], "plan");
    assert!(unfilled[0]["reason"].as_str().unwrap().contains("one of MEMBER, ADMIN"), "{report:#}");
    assert!(unfilled[0]["fix"].as_str().unwrap().contains("--set \"plan='MEMBER'\""), "{report:#}");
    assert_eq!(report["table"]["untouched"], serde_json::json!(["role", "seats"]));
    let config = read(path, "deskbell.toml");
    assert!(config.contains("# plan = \"'MEMBER'\"") && config.contains("clerkId = \"user.id\""));
    assert!(!(config.clone() + &read(path, ".env.example")).contains(PostgresDatabase::PASSWORD));
    let checked = run_in(path, &url, &["config", "check", "--live"]).await;
    assert_eq!(checked.code, 64, "{}", checked.stdout);
    assert!(checked.stderr.contains("\"plan\""), "{}", checked.stderr);

    let arguments = ["init", "--force", "--table", "user", "--set", "plan='ADMIN'"];
    let ran = run_in(path, &url, &arguments).await;
    assert_eq!((ran.code, &*ran.stderr), (0, ""), "{}", ran.stdout);
    listen_anywhere(path);
    let checked = run_in(path, &url, &["config", "check", "--live"]).await;
    assert_eq!(checked.code, 0, "{}", checked.stderr);
    let mut command = deskbell(path);
    command.env("DATABASE_URL", &url);
    let serving = Serving::of(command).await;
    let elsewhere = tempfile::tempdir().unwrap();
    trigger(elsewhere.path(), &serving.url(), "user.created", "msg_1", &["data.id=user_mira"])
        .await;
    destination_at(&url, "app", 1).await;
    let mut connection = PgConnection::connect(&url).await.unwrap();
    let row = sqlx::query(
        "SELECT concat_ws('|', length(id), \"clerkId\", email, \"firstName\", role, plan,
             \"createdAt\" AT TIME ZONE 'UTC', \"updatedAt\") FROM \"User\"",
    );
    let row: String = row.fetch_one(&mut connection).await.unwrap().get(0);
    let times = "2026-01-05 09:04:22.417|2026-01-05 09:04:22.452";
    assert_eq!(row, format!("25|user_mira|mira.lindqvist@example.com|Mira|MEMBER|ADMIN|{times}"));
    assert_eq!(serving.terminate().await.0, 0);
}

#[tokio::test]
async fn a_table_in_sqlite_is_filled_and_marks_who_is_deleted() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let mut connection = sqlite(path).await;
    sqlx::raw_sql(SQLITE).execute(&mut connection).await.unwrap();
    let database = ["--database", "sqlite://app.db", "--table", "users", "--no-mirror"];
    let ran = run(path, &[&["init"], &database[..]].concat()).await;
    assert_eq!((ran.code, &*ran.stderr), (0, ""), "{}", ran.stdout);
    listen_anywhere(path);
    let checked = run(path, &["config", "check", "--live"]).await;
    assert_eq!(checked.code, 0, "{}", checked.stderr);
    let serving = Serving::start(path).await;
    for (message, event_type, id) in [
        ("msg_1", "user.created", "data.id=user_mira"),
        ("msg_2", "user.updated", "data.id=user_ada"),
        ("msg_3", "user.deleted", "data.id=user_mira"),
    ] {
        trigger(path, &serving.url(), event_type, message, &[id]).await;
    }
    destination_at(&format!("sqlite://{}", path.join("app.db").display()), "app", 3).await;
    let rows = sqlx::query(
        "SELECT clerk_id || '|' || full_name || '|' || banned || '|' || theme || '|' ||
             (deleted_at IS NOT NULL) || '|' || (updated_at <> '') FROM users ORDER BY id",
    );
    let rows = rows.fetch_all(&mut connection).await.unwrap();
    let rows: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(
        rows,
        ["user_ada|Mira Lindqvist|0|dark|0|1", "user_mira|Mira Lindqvist|0|light|1|1"]
    );
    assert_eq!(serving.terminate().await.0, 0);
}

async fn refused(table: &str, arguments: &[&str]) -> (TempDir, Ran) {
    let directory = tempfile::tempdir().unwrap();
    let mut connection = sqlite(directory.path()).await;
    sqlx::raw_sql(AssertSqlSafe(table.to_owned())).execute(&mut connection).await.unwrap();
    let database = ["init", "--database", "sqlite://app.db"];
    let ran = run(directory.path(), &[&database[..], arguments].concat()).await;
    (directory, ran)
}

#[tokio::test]
async fn what_cannot_be_drafted_says_what_to_do_and_writes_nothing() {
    let users = "CREATE TABLE users (id INTEGER PRIMARY KEY, clerk_id TEXT UNIQUE)";
    for (table, arguments, code, wanted) in [
        (
            "CREATE TABLE users (id INTEGER PRIMARY KEY)",
            &["--table", "users"][..],
            1,
            "ADD COLUMN clerk_id",
        ),
        (users, &["--table", "people"], 1, "it has users"),
        (users, &["--table", "users", "--set", "plan=1"], 1, "no column \"plan\""),
        (users, &["--table", "users", "--set", "plan"], 2, "COLUMN=EXPRESSION"),
        (users, &["--table", "users", "--set", "clerk_id=user.nmae"], 2, "has no field `nmae`"),
        (users, &["--store", "mysql://db/log"], 2, "--store"),
    ] {
        let (directory, ran) = refused(table, arguments).await;
        assert_eq!(ran.code, code, "{arguments:?}: {}", ran.stderr);
        let words = ran.stderr.split_whitespace().filter(|word| *word != "│");
        let said = words.collect::<Vec<_>>().join(" ");
        assert!(said.contains(wanted), "{arguments:?}: {said}");
        assert!(!directory.path().join("deskbell.toml").exists(), "{arguments:?}");
    }
}

/// `script` of util-linux gives the program a terminal.
#[tokio::test]
async fn on_a_terminal_it_asks_and_writes_what_was_answered() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let table =
        "CREATE TABLE users (id INTEGER PRIMARY KEY, clerk_id TEXT UNIQUE, plan TEXT NOT NULL)";
    sqlx::raw_sql(table).execute(&mut sqlite(path).await).await.unwrap();
    let program = format!("{} init", env!("CARGO_BIN_EXE_deskbell"));
    let answers = "no\\nsqlite://app.db\\nusers\\n'free'\\nyes\\nyes\\n";
    let line = format!("printf \"{answers}\" | script -qec '{program}' /dev/null");
    let mut shell = Command::new("/bin/sh");
    let ran = finish(shell.args(["-c", &line]).current_dir(path)).await;
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    for asked in ["Tables there: users", "plan must not be null (TEXT)", "wrote ./deskbell.service"]
    {
        assert!(ran.stdout.contains(asked), "{asked}: {}", ran.stdout);
    }
    let config = read(path, "deskbell.toml");
    assert!(config.contains("\nplan = \"'free'\""), "{config}");
    assert!(!config.contains("mirror = false") && !path.join("compose.yaml").exists());
}

#[tokio::test]
async fn answers_that_end_early_leave_nothing_behind() {
    let directory = tempfile::tempdir().unwrap();
    let program = format!("{} init", env!("CARGO_BIN_EXE_deskbell"));
    let line = format!("printf \"no\\n\" | script -qec '{program}' /dev/null");
    let mut shell = Command::new("/bin/sh");
    let ran = finish(shell.args(["-c", &line]).current_dir(directory.path())).await;
    assert_eq!(ran.code, 2, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("nothing was written"), "{}", ran.stdout);
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
}
