//! SQLite: a mirror in one file.

mod describe;
mod session;

use std::time::Duration;

use async_trait::async_trait;
use sqlx::ConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteSynchronous};

use session::SqliteSession;

use crate::mapped::Refusal;
use crate::schema::Dialect;
use crate::session::{Database, DatabaseError, Session};

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
/// Statements that stay prepared; each table has one for every size of chunk, and a few more.
const STATEMENTS_MAX: usize = 512;

/// A file, which need not be there yet.
#[derive(Debug)]
pub(crate) struct SqliteDatabase {
    options: SqliteConnectOptions,
}

impl SqliteDatabase {
    pub(crate) fn new(url: &str) -> Result<Self, sqlx::Error> {
        Ok(Self { options: url.parse()? })
    }
}

#[async_trait]
impl Database for SqliteDatabase {
    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }

    fn is_absent(&self) -> bool {
        matches!(self.options.get_filename().try_exists(), Ok(false))
    }

    async fn connect(&self) -> Result<Box<dyn Session>, DatabaseError> {
        // NORMAL: a commit is in the write-ahead log, which is flushed when it is copied into the
        // database. Power loss may undo the last commits, whole and from the end. Their checkpoints
        // go with them, as they are in the same transactions, so the log is simply read from there
        // again. The log itself is where an event must not get lost.
        let options = self.options.clone().create_if_missing(true).page_size(PAGE_BYTES);
        let options = options
            .synchronous(SqliteSynchronous::Normal)
            .busy_timeout(BUSY_TIMEOUT)
            .pragma("cache_size", CACHE_KIB)
            .pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
            .statement_cache_capacity(STATEMENTS_MAX);
        Ok(Box::new(SqliteSession::new(options.connect().await?)))
    }

    async fn connect_to_read(&self) -> Result<Box<dyn Session>, DatabaseError> {
        let options = self.options.clone().create_if_missing(false);
        let options = options.busy_timeout(BUSY_TIMEOUT).pragma("query_only", "on");
        Ok(Box::new(SqliteSession::new(options.connect().await?)))
    }
}

/// Why SQLite will not have a value, if that is what the error says, by its result code:
/// <https://www.sqlite.org/rescode.html>.
pub(crate) fn refusal(error: &sqlx::Error) -> Option<Refusal> {
    let error = error.as_database_error()?;
    error.try_downcast_ref::<sqlx::sqlite::SqliteError>()?;
    let code: i32 = error.code()?.parse().ok()?;
    let refused = matches!(code & 0xff, TOO_BIG | CONSTRAINT | MISMATCH);
    let conflict = matches!(code, FOREIGN_KEY | PRIMARY_KEY | UNIQUE | ROW_ID);
    refused.then(|| Refusal { reason: error.message().to_owned(), conflict })
}

const TOO_BIG: i32 = 18;
const CONSTRAINT: i32 = 19;
const MISMATCH: i32 = 20;
const FOREIGN_KEY: i32 = 787;
const PRIMARY_KEY: i32 = 1555;
const UNIQUE: i32 = 2067;
const ROW_ID: i32 = 2579;
