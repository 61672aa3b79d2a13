//! A SQLite database of a test's own: a file in a directory that is removed with it.

use std::path::{Path, PathBuf};

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, SqliteConnection};
use tempfile::TempDir;

/// The file; a store or a mirror makes it when it is opened.
#[derive(Debug)]
pub struct SqliteFile {
    directory: TempDir,
    name: String,
}

impl SqliteFile {
    /// A name for a file in a directory of its own.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { directory: tempfile::tempdir().unwrap(), name: name.to_owned() }
    }

    /// The directory, which holds nothing else.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.directory.path().join(&self.name)
    }

    /// The URL as the config takes it.
    #[must_use]
    pub fn url(&self) -> String {
        format!("sqlite://{}", self.path().display())
    }

    /// A connection beside the ones under test. Makes the file if it is missing.
    pub async fn connection(&self) -> SqliteConnection {
        let options = SqliteConnectOptions::new().filename(self.path()).create_if_missing(true);
        options.connect().await.unwrap()
    }

    /// Runs these statements.
    pub async fn run(&self, sql: &str) {
        let sql = AssertSqlSafe(sql.to_owned());
        sqlx::raw_sql(sql).execute(&mut self.connection().await).await.unwrap();
    }
}
