//! Opening the file: look before touching, then set it up, then make what is missing.

use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, SqliteConnection};

use super::{database_error, migrate};
use crate::connect::ConnectError;
use crate::mapping::Mappings;
use crate::schema::{self, Table};

/// How long a unit of work waits for somebody else's lock on the file. The application reads the
/// file too, and may write to tables of its own.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Bytes a page in a new file. A user's row with its JSON is about 2.5 KB: two or three fit one
/// page, where one of 4 KiB holds one and wastes the rest. Measured: a tenth less file, no slower.
const PAGE_BYTES: u32 = 8192;
/// Pages in the write-ahead log at which a commit copies them into the database: 16 MiB, a few
/// batches, so that a page which several of them change is copied once.
const CHECKPOINT_PAGES: &str = "2000";
/// Page cache of the writing connection, in KiB below zero as SQLite has it: the pages that a batch
/// changes are written once, at its commit.
const CACHE_KIB: &str = "-16384";
/// Statements that stay prepared; each entity has one for every size of chunk, and a few more.
const STATEMENTS_MAX: usize = 256;

/// The file, and what belongs in it.
#[derive(Debug)]
pub(super) struct Database {
    options: SqliteConnectOptions,
    schema: String,
    tables: Vec<Table>,
}

impl Database {
    pub(super) fn new(options: SqliteConnectOptions, schema: &str, mappings: &Mappings) -> Self {
        // NORMAL: a commit is in the write-ahead log, which is flushed when it is copied into the
        // database. Power loss may undo the last commits, whole and from the end. Their checkpoints
        // go with them, as they are in the same transactions, so the log is simply read from there
        // again. The log itself is where an event must not get lost.
        let options = options
            .create_if_missing(true)
            .page_size(PAGE_BYTES)
            .synchronous(SqliteSynchronous::Normal)
            .busy_timeout(BUSY_TIMEOUT)
            .pragma("cache_size", CACHE_KIB)
            .pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
            .statement_cache_capacity(STATEMENTS_MAX);
        Self { options, schema: schema.to_owned(), tables: schema::tables(mappings) }
    }

    /// Opens the file, makes it where there is none, and makes the tables that are missing.
    ///
    /// # Errors
    /// Nothing was changed: the file is not ours, is newer than this program, or cannot be used.
    pub(super) async fn open(&self) -> Result<SqliteConnection, ConnectError> {
        let mut connection = self.options.connect().await.map_err(database_error)?;
        migrate::check(&mut connection, &self.schema, &self.tables).await?;
        use_write_ahead_log(&mut connection).await.map_err(database_error)?;
        migrate::migrate(&mut connection, &self.schema, &self.tables).await?;
        Ok(connection)
    }
}

/// Readers and the mirror do not wait for each other then.
async fn use_write_ahead_log(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let mode: String =
        sqlx::query_scalar("PRAGMA journal_mode = WAL").fetch_one(connection).await?;
    if mode != "wal" {
        tracing::warn!(
            journal_mode = mode,
            "the mirror's file takes no write-ahead log: its readers will wait for the mirror, and it for them"
        );
    }
    Ok(())
}

/// How a reader opens the file: it changes nothing and waits for nobody long.
pub(super) fn reading_options(options: SqliteConnectOptions) -> SqliteConnectOptions {
    options.create_if_missing(false).busy_timeout(BUSY_TIMEOUT).pragma("query_only", "on")
}
