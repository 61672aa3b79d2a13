//! Opening a store: lock, look before touching, migrate, then hand out the connections.

use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, SqliteConnection, SqlitePool};
use tokio::sync::{Mutex, watch};

use super::files::{self, OpenFiles};
use super::lock::{FileLock, LockError};
use super::queues::Queues;
use super::store::SqliteStore;
use super::writer::Writer;
use super::{append, event_log, migrations};
use crate::{BackendError, Clock, LogId, Store};

/// Readers at the same time. Each costs a thread and a page cache of up to 2 MiB.
const READERS_MAX: u32 = 4;
/// How long a connection waits for another one's lock before it gives up.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(1);
/// Bytes a page in a new file. A user's event takes some 800 bytes, compressed: five fit one page. With
/// pages of 8 KiB, an index entry anywhere in the log writes twice as much.
const PAGE_BYTES: u32 = 4096;
/// Pages in the write-ahead log (4 MiB) at which the writer copies them into the database. Copying
/// holds up the commits behind it: with 16 MiB the 99th percentile of an acknowledgement took
/// twice as long, and no more events a second came of it.
const CHECKPOINT_PAGES: &str = "1000";

/// A store that could not be opened. Nothing in it was changed.
#[derive(Debug, thiserror::Error)]
pub enum SqliteOpenError {
    /// Another process has the store open for writing.
    #[error("{} is in use by another deskbell process; stop that process first, or use another store", .path.display())]
    InUse { path: PathBuf },
    /// The file is a SQLite database with tables that are not a store's.
    #[error("{} is a database, but not a deskbell store; use another file", .path.display())]
    NotAStore { path: PathBuf },
    #[error("{} has schema version {found}, and this release supports versions up to {known}; run the release that wrote it, or a later one", .path.display())]
    Newer { path: PathBuf, found: usize, known: usize },
    /// The file, its lock or its directory could not be used.
    #[error("{} cannot be opened", .path.display())]
    Io { path: PathBuf, source: std::io::Error },
    /// There is no such file, and reading makes none.
    #[error("no event log found at {}", .path.display())]
    Missing { path: PathBuf },
    /// A program before this one wrote the store, and nobody has brought it up since.
    #[error("{} has schema version {found}, and this release needs version {needed}; start `deskbell serve` once to migrate it", .path.display())]
    Older {
        path: PathBuf,
        found: usize,
        /// The version that this program reads and writes.
        needed: usize,
    },
    #[error("cannot open {} as a store", .path.display())]
    Database { path: PathBuf, source: BackendError },
}

impl SqliteOpenError {
    /// The database's own error.
    pub(super) fn database(path: &Path) -> impl Fn(sqlx::Error) -> Self {
        |error| Self::Database { path: path.to_owned(), source: BackendError::new(error) }
    }
}

impl SqliteStore {
    /// Opens the store in this file and makes it where there is none.
    ///
    /// # Errors
    /// [`SqliteOpenError`]: another process has it, it is not a store, it is newer than this
    /// program, or the file cannot be used. Nothing was changed then.
    pub async fn open(path: &Path) -> Result<Self, SqliteOpenError> {
        Self::open_with_clock(path, Clock::default()).await
    }

    /// Like [`SqliteStore::open`], with a clock of one's own.
    ///
    /// # Errors
    /// As [`SqliteStore::open`].
    pub async fn open_with_clock(path: &Path, clock: Clock) -> Result<Self, SqliteOpenError> {
        let lock = FileLock::take(path).map_err(|error| match error {
            LockError::Held => SqliteOpenError::InUse { path: path.to_owned() },
            LockError::Io(source) => SqliteOpenError::Io { path: path.to_owned(), source },
        })?;
        let database = SqliteOpenError::database(path);
        look_before_touching(path).await?;
        let io = |source| SqliteOpenError::Io { path: path.to_owned(), source };
        files::make_private(path).map_err(io)?;
        let options = writer_options(path);
        let mut connection = options.connect().await.map_err(&database)?;
        let version = schema_version(&mut connection).await.map_err(&database)?;
        migrations::migrate(&mut connection, version).await.map_err(&database)?;
        let log_id = read_log_id(&mut connection).await.map_err(&database)?;
        let head = event_log::head(&mut connection).await.map_err(&database)?;
        Ok(Self {
            log_id,
            writer: Mutex::new(Some(Writer {
                connection,
                options,
                head: Some(head),
                files: OpenFiles::of(path),
                _lock: lock,
            })),
            readers: readers(path),
            head: watch::Sender::new(head),
            clock,
            queues: Queues::default(),
            indexes_user_refs: false,
        })
    }
}

impl SqliteStore {
    /// Opens the store in this file to read it, also while another process has it open. What
    /// writes fails with [`StoreError::Closed`](crate::StoreError::Closed).
    ///
    /// # Errors
    /// [`SqliteOpenError`]: there is no such file, it is not a store, or it is of another version
    /// than this program's. Nothing was changed.
    pub async fn open_to_read(path: &Path) -> Result<Self, SqliteOpenError> {
        require_this_version(path).await?;
        let database = SqliteOpenError::database(path);
        let readers = readers(path);
        let mut connection = readers.acquire().await.map_err(&database)?;
        let log_id = read_log_id(&mut connection).await.map_err(&database)?;
        let head = event_log::head(&mut *connection).await.map_err(&database)?;
        drop(connection);
        Ok(Self {
            log_id,
            writer: Mutex::new(None),
            readers,
            head: watch::Sender::new(head),
            clock: Clock::default(),
            queues: Queues::closed(),
            indexes_user_refs: false,
        })
    }
}

/// Closes the writing connection, which copies what is left of the write-ahead log.
pub(super) async fn close(connection: SqliteConnection) {
    if let Err(error) = connection.close().await {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "failed to close the store cleanly"
        );
    }
}

/// Refuses a file that is not there, or has nothing in it.
pub(crate) fn require_a_file(path: &Path) -> Result<(), SqliteOpenError> {
    if std::fs::metadata(path).map_or(true, |file| file.len() == 0) {
        return Err(SqliteOpenError::Missing { path: path.to_owned() });
    }
    Ok(())
}

/// Refuses a file that is not a store of exactly this program's version.
pub(super) async fn require_this_version(path: &Path) -> Result<(), SqliteOpenError> {
    require_a_file(path)?;
    let found = look_before_touching(path).await?;
    if found < migrations::VERSION {
        let needed = migrations::VERSION;
        return Err(SqliteOpenError::Older { path: path.to_owned(), found, needed });
    }
    Ok(())
}

/// Refuses a file that is somebody else's, or too new, before anything writes to it. The file's
/// schema version.
async fn look_before_touching(path: &Path) -> Result<usize, SqliteOpenError> {
    if std::fs::metadata(path).is_ok_and(|file| file.len() == 0) || !path.exists() {
        return Ok(0);
    }
    let database = SqliteOpenError::database(path);
    // Not read-only: a write-ahead log that a killed process left must be recovered to be read.
    let options = SqliteConnectOptions::new().filename(path).busy_timeout(BUSY_TIMEOUT);
    let mut connection = options.connect().await.map_err(&database)?;
    let found = schema_version(&mut connection).await.map_err(&database)?;
    let ours = is_a_store(&mut connection).await.map_err(&database)?;
    connection.close().await.map_err(&database)?;
    if !ours {
        return Err(SqliteOpenError::NotAStore { path: path.to_owned() });
    }
    if found > migrations::VERSION {
        let known = migrations::VERSION;
        return Err(SqliteOpenError::Newer { path: path.to_owned(), found, known });
    }
    Ok(found)
}

async fn is_a_store(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    let application_id: i64 =
        sqlx::query_scalar("PRAGMA application_id").fetch_one(&mut *connection).await?;
    let tables: i64 =
        sqlx::query_scalar("SELECT count(*) FROM sqlite_schema").fetch_one(connection).await?;
    Ok(application_id == migrations::APPLICATION_ID || tables == 0)
}

async fn schema_version(connection: &mut SqliteConnection) -> Result<usize, sqlx::Error> {
    let version: i64 = sqlx::query_scalar("PRAGMA user_version").fetch_one(connection).await?;
    Ok(usize::try_from(version).unwrap_or(usize::MAX))
}

async fn read_log_id(connection: &mut SqliteConnection) -> Result<LogId, sqlx::Error> {
    let text: String = sqlx::query_scalar("SELECT log_id FROM log").fetch_one(connection).await?;
    text.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)))
}

/// `FULL`: a commit returns when the write-ahead log has reached the disk. This connection alone
/// writes, and copies the write-ahead log into the database as part of its commits.
fn writer_options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .page_size(PAGE_BYTES)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(BUSY_TIMEOUT)
        .pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
        .statement_cache_capacity(append::STATEMENTS_MAX)
}

fn readers(path: &Path) -> SqlitePool {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(BUSY_TIMEOUT)
        .pragma("query_only", "on")
        .pragma("wal_autocheckpoint", "0");
    SqlitePoolOptions::new().max_connections(READERS_MAX).connect_lazy_with(options)
}

#[async_trait]
impl Store for SqliteStore {
    async fn close(&self) {
        self.readers.close().await;
        if let Some(writer) = self.writer.lock().await.take() {
            close(writer.connection).await;
        }
    }
}
