//! The journal of a SQLite file: a write-ahead log in a file of ours, and what an application has in
//! a file of its own.

use std::path::{Path, PathBuf};

use deskbell_sync::{DatabaseConfig, MirrorOptions, connect, migration};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};
use tempfile::TempDir;

struct File {
    path: PathBuf,
    _directory: TempDir,
}

impl File {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        Self { path: directory.path().join("app.db"), _directory: directory }
    }

    fn options(&self) -> MirrorOptions {
        let url = format!("sqlite://{}", self.path.display());
        MirrorOptions::new("mirror", DatabaseConfig::at(url.parse().unwrap()))
    }
}

async fn run(file: &Path, sql: &'static str) -> String {
    let options = SqliteConnectOptions::new().filename(file).create_if_missing(true);
    let mut connection = options.connect().await.unwrap();
    let answer: Option<String> =
        sqlx::query_scalar(sql).fetch_optional(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    answer.unwrap_or_default()
}

async fn journal_mode(file: &Path) -> String {
    run(file, "PRAGMA journal_mode").await
}

#[tokio::test]
async fn an_applications_file_keeps_its_journal_mode() {
    for mode in ["delete", "wal"] {
        let file = File::new();
        run(&file.path, "CREATE TABLE users (id integer PRIMARY KEY)").await;
        if mode == "wal" {
            run(&file.path, "PRAGMA journal_mode = WAL").await;
        }
        let before = journal_mode(&file.path).await;
        let mirror = connect(&file.options()).await.unwrap();
        assert_eq!(journal_mode(&file.path).await, before, "while it is open");
        mirror.close().await;
        assert_eq!(journal_mode(&file.path).await, before, "and afterwards");
        assert_eq!(before == "wal", mode == "wal");
    }
}

#[tokio::test]
async fn a_file_of_ours_has_a_write_ahead_log() {
    let file = File::new();
    connect(&file.options()).await.unwrap().close().await;
    assert_eq!(journal_mode(&file.path).await, "wal");

    // Also where a command made the tables before.
    let file = File::new();
    migration::apply(&file.options().database).await.unwrap();
    connect(&file.options()).await.unwrap().close().await;
    assert_eq!(journal_mode(&file.path).await, "wal");
}

#[tokio::test]
async fn a_start_that_is_refused_changes_nothing() {
    let file = File::new();
    run(&file.path, "CREATE TABLE clerk_users (id integer PRIMARY KEY)").await;
    connect(&file.options()).await.unwrap_err();
    assert_eq!(journal_mode(&file.path).await, "delete");
}
