//! SQLite: a mirror in one file.

mod describe;
mod session;

use std::path::Path;

use async_trait::async_trait;
use deskbell_store::private_file;
use sqlx::ConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteSynchronous};

use super::dialect::Dialect;
use super::error::DatabaseError;
use super::session::{DbSession, MirrorDatabase};
use session::{BUSY_TIMEOUT, SqliteSession};

/// Bytes a page in a new file. A user's row with its JSON is about 2.5 KB: two or three fit one
/// page, where one of 4 KiB holds one and wastes the rest. Measured: a tenth less file, no slower.
const PAGE_BYTES: u32 = 8192;
/// Pages in the write-ahead log at which a commit copies them into the database: 16 MiB, a few
/// batches, so that a page which several of them change is copied once.
const CHECKPOINT_PAGES: &str = "2000";
/// Page cache of the writing connection, in KiB below zero as SQLite has it: the pages that a batch
/// changes are written once, at its commit.
const CACHE_KIB: &str = "-16384";
/// Statements that stay prepared; each table has one for every size of chunk, and a few more.
const STATEMENTS_MAX: usize = 512;

/// A file, which need not be there yet.
#[derive(Debug)]
pub(crate) struct SqliteDatabase {
    options: SqliteConnectOptions,
}

impl SqliteDatabase {
    pub(crate) fn new(file: &Path) -> Self {
        let options = SqliteConnectOptions::new().filename(file);
        // What takes long is reported by us, with the destination's name.
        Self { options: options.disable_statement_logging() }
    }
}

impl SqliteDatabase {
    /// Makes the file where there is none, for its owner alone; an application's own file keeps its
    /// rights.
    fn make_private(&self) {
        // Where that fails, so does SQLite, and says why.
        let _ = private_file::create(self.options.get_filename());
    }

    /// SQLite's own words do not name the file.
    async fn open(
        &self,
        options: SqliteConnectOptions,
    ) -> Result<Box<dyn DbSession>, DatabaseError> {
        let connection = options.connect().await.map_err(|error| {
            let reason = error.as_database_error().map(|error| error.message().to_owned());
            let reason = reason.unwrap_or_else(|| error.to_string());
            let file = self.options.get_filename().display();
            DatabaseError::Away(std::io::Error::other(format!("{file}: {reason}")).into())
        })?;
        Ok(Box::new(SqliteSession::new(connection)))
    }
}

#[async_trait]
impl MirrorDatabase for SqliteDatabase {
    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }

    fn is_absent(&self) -> bool {
        matches!(self.options.get_filename().try_exists(), Ok(false))
    }

    /// Foreign keys that are deferred.
    fn checks_at_commit_alone(&self) -> bool {
        true
    }

    async fn connect(&self) -> Result<Box<dyn DbSession>, DatabaseError> {
        // NORMAL: a commit is in the write-ahead log, which is flushed when it is copied into the
        // database. Power loss may undo the last commits, whole and from the end. Their checkpoints
        // go with them, as they are in the same transactions, so the log is simply read from there
        // again. The log itself is where an event must not get lost.
        self.make_private();
        let options = self.options.clone().create_if_missing(true).page_size(PAGE_BYTES);
        let options = options
            .synchronous(SqliteSynchronous::Normal)
            .busy_timeout(BUSY_TIMEOUT)
            .pragma("cache_size", CACHE_KIB)
            .pragma("secure_delete", "ON")
            .pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
            .statement_cache_capacity(STATEMENTS_MAX);
        self.open(options).await
    }

    async fn connect_to_read(&self) -> Result<Box<dyn DbSession>, DatabaseError> {
        let options = self.options.clone().create_if_missing(false);
        let options = options.busy_timeout(BUSY_TIMEOUT).pragma("query_only", "on");
        self.open(options).await
    }
}
