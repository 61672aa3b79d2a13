//! `deskbell schema`: the tables before the program makes them.

use std::path::Path;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};
use testkit::PostgresDatabase;

use super::mirror_away::reason_of;
use super::support::{Serving, directory, run};

const CONFIG: &str = "[server]\nlisten = \"127.0.0.1:0\"\n\n[[destination]]\nname = \"app\"\n\
                      type = \"database\"\nurl = \"sqlite://clerk.db\"\nauto_migrate = false\n";

fn configure(directory: &Path) {
    std::fs::write(directory.join("deskbell.toml"), CONFIG).unwrap();
}

/// Runs the script on the mirror's file as the database's own shell would.
async fn sqlite(directory: &Path, script: &str) {
    let options = SqliteConnectOptions::new().filename(directory.join("clerk.db"));
    let connection = SqliteConnection::connect_with(&options.create_if_missing(true)).await;
    let mut connection = connection.unwrap();
    sqlx::raw_sql(AssertSqlSafe(script.to_owned())).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

async fn postgres(url: &str, script: &str) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(script.to_owned())).execute(&mut connection).await.unwrap();
}

#[tokio::test]
async fn what_is_printed_is_what_the_program_would_have_made() {
    let directory = directory();
    let printed = run(directory.path(), &["schema", "print"]).await;
    assert_eq!(printed.code, 0, "{}", printed.stderr);
    sqlite(directory.path(), &printed.stdout).await;
    let diff = run(directory.path(), &["schema", "diff"]).await;
    assert_eq!((diff.code, &*diff.stdout), (0, ""), "{}", diff.stderr);
    assert!(diff.stderr.contains("is up to date"), "{}", diff.stderr);
    configure(directory.path());
    let serving = Serving::start(directory.path()).await;
    reason_of(directory.path(), "following").await;
    assert_eq!(serving.terminate().await.0, 0, "its tables are ours");
}

#[tokio::test]
async fn it_prints_without_a_config_and_without_secrets() {
    let directory = tempfile::tempdir().unwrap();
    let arguments = ["schema", "print", "--dialect", "postgres"];
    let mut command = super::support::deskbell(directory.path());
    let ran = super::support::finish(command.env_clear().args(arguments)).await;
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stdout.contains("CREATE SCHEMA \"clerk\";"), "{}", ran.stdout);
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0, "nothing was touched");
}

#[tokio::test]
async fn a_diff_ends_with_1_and_makes_up_for_what_is_lacking() {
    let directory = directory();
    configure(directory.path());
    let serving = Serving::start(directory.path()).await;
    let said = reason_of(directory.path(), "waiting").await;
    for wanted in ["auto_migrate is off", "table clerk_users", " more", "deskbell schema apply"] {
        assert!(said.contains(wanted), "{wanted}: {said}");
    }
    let diff = run(directory.path(), &["schema", "diff", "app"]).await;
    assert_eq!(diff.code, 1, "{}", diff.stderr);
    sqlite(directory.path(), &diff.stdout).await;
    assert_eq!(run(directory.path(), &["schema", "diff", "app"]).await.code, 0);
    reason_of(directory.path(), "following").await;
    assert_eq!(serving.terminate().await.0, 0);
}

#[tokio::test]
async fn apply_lists_what_it_made() {
    let directory = directory();
    configure(directory.path());
    let applied = run(directory.path(), &["schema", "apply"]).await;
    assert_eq!(applied.code, 0, "{}", applied.stderr);
    assert!(applied.stdout.lines().any(|line| line == "table clerk_users"), "{}", applied.stdout);
    let again = run(directory.path(), &["schema", "apply", "--json"]).await;
    let again: serde_json::Value = serde_json::from_str(&again.stdout).unwrap();
    assert_eq!(again, serde_json::json!([{ "destination": "app", "applied": [] }]));
    sqlite(directory.path(), "ALTER TABLE clerk_users DROP COLUMN locale").await;
    let diff = run(directory.path(), &["schema", "diff", "--json"]).await;
    assert_eq!(diff.code, 1);
    let diff: serde_json::Value = serde_json::from_str(&diff.stdout).unwrap();
    assert_eq!(diff[0]["steps"][0]["name"], "column clerk_users.locale");
    let applied = run(directory.path(), &["schema", "apply", "app"]).await;
    assert_eq!(applied.stdout, "column clerk_users.locale\n");
}

#[tokio::test]
async fn a_destination_that_is_not_there_is_named() {
    let directory = directory();
    configure(directory.path());
    let ran = run(directory.path(), &["schema", "diff", "ap"]).await;
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("did you mean `app`"), "{}", ran.stderr);
}

#[tokio::test]
async fn the_same_goes_for_postgresql_and_its_password_stays_secret() {
    let database = PostgresDatabase::with_owner().await;
    let directory = directory();
    let config = CONFIG.replace("sqlite://clerk.db", &database.url());
    std::fs::write(directory.path().join("deskbell.toml"), config).unwrap();
    let diff = run(directory.path(), &["schema", "diff"]).await;
    assert_eq!(diff.code, 1, "{}", diff.stderr);
    postgres(&database.url(), &diff.stdout).await;
    let diff = run(directory.path(), &["schema", "diff"]).await;
    assert_eq!((diff.code, &*diff.stdout), (0, ""), "{}", diff.stderr);
    let serving = Serving::start(directory.path()).await;
    let (code, said) = serving.terminate().await;
    assert_eq!(code, 0, "its tables are ours");
    let shown = run(directory.path(), &["config", "show"]).await.stdout;
    assert!(
        !said.join("").contains(PostgresDatabase::PASSWORD)
            && !shown.contains(PostgresDatabase::PASSWORD)
    );
}
