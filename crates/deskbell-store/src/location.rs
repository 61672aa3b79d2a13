//! Where a store is: which backend opens it, and how.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::{
    COMMANDS, Command, CommandId, Commands, Leases, PostgresOpenError, PostgresOptions,
    PostgresStore, SqliteOpenError, SqliteStore, Store, StoreError,
};

/// How long a command that executes itself keeps a process from serving the store.
const COMMAND_LEASE: Duration = Duration::from_secs(30);

/// Where a store is, and how it is opened.
#[derive(Debug, Clone)]
pub enum StoreLocation {
    /// In a SQLite file, for one process.
    Sqlite(PathBuf),
    /// In a PostgreSQL database, for any number of processes.
    Postgres(PostgresOptions),
}

/// A store that could not be opened. Nothing in it was changed.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The SQLite file.
    #[error(transparent)]
    Sqlite(#[from] SqliteOpenError),
    /// The PostgreSQL database.
    #[error(transparent)]
    Postgres(#[from] PostgresOpenError),
    /// It was open, and failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl StoreLocation {
    /// Opens the store, makes it where there is none, and brings its schema up.
    ///
    /// # Errors
    /// [`OpenError`]: what is in the way.
    pub async fn open(&self) -> Result<Arc<dyn Store>, OpenError> {
        Ok(match self {
            Self::Sqlite(path) => Arc::new(SqliteStore::open(path).await?),
            Self::Postgres(options) => Arc::new(PostgresStore::open(options).await?),
        })
    }

    /// As [`StoreLocation::open`]; user references are indexed from now on, so that users can be
    /// erased.
    ///
    /// # Errors
    /// As [`StoreLocation::open`].
    pub async fn open_indexing_user_refs(&self) -> Result<Arc<dyn Store>, OpenError> {
        Ok(match self {
            Self::Sqlite(path) => Arc::new(SqliteStore::open(path).await?.index_user_refs().await?),
            Self::Postgres(options) => {
                Arc::new(PostgresStore::open(options).await?.index_user_refs())
            }
        })
    }

    /// Opens the store to change something in it; `None` if a process serves it, which executes
    /// what is [enqueued](StoreLocation::enqueue_command).
    ///
    /// # Errors
    /// [`OpenError`]: what is in the way.
    pub async fn open_unless_serving(&self) -> Result<Option<Arc<dyn Store>>, OpenError> {
        match self {
            Self::Sqlite(_) => match self.open().await {
                Ok(store) => Ok(Some(store)),
                Err(error) if error.is_in_use() => Ok(None),
                Err(error) => Err(error),
            },
            Self::Postgres(options) => {
                let store = PostgresStore::open(options).await?;
                if store.renew_lease(COMMANDS, COMMAND_LEASE).await? {
                    return Ok(Some(Arc::new(store)));
                }
                store.close().await;
                Ok(None)
            }
        }
    }

    /// Enqueues a command for the process that serves the store. The store is neither created nor
    /// is its schema changed.
    ///
    /// # Errors
    /// [`OpenError`]: what is in the way. Nothing was enqueued.
    pub async fn enqueue_command(&self, command: &Command) -> Result<CommandId, OpenError> {
        Ok(match self {
            Self::Sqlite(path) => SqliteStore::enqueue_command_at(path, command).await?,
            Self::Postgres(options) => {
                let store = PostgresStore::open_to_read(options).await?;
                let id = store.enqueue_command(command).await;
                store.close().await;
                id?
            }
        })
    }

    /// Opens the store to read it, also beside others that have it open. Neither is it made nor is
    /// its schema changed.
    ///
    /// # Errors
    /// [`OpenError`]: what is in the way.
    pub async fn open_to_read(&self) -> Result<Arc<dyn Store>, OpenError> {
        Ok(match self {
            Self::Sqlite(path) => Arc::new(SqliteStore::open_to_read(path).await?),
            Self::Postgres(options) => Arc::new(PostgresStore::open_to_read(options).await?),
        })
    }
}

impl OpenError {
    /// Whether it may go when it is tried again.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Sqlite(error) => matches!(error, SqliteOpenError::Database { .. }),
            Self::Postgres(error) => matches!(error, PostgresOpenError::Database { .. }),
            Self::Store(_) => true,
        }
    }

    /// Whether the store's server is away, or has no room: it will be there again.
    #[must_use]
    pub fn is_away(&self) -> bool {
        match self {
            Self::Sqlite(_) => false,
            Self::Postgres(error) => matches!(error, PostgresOpenError::Database { .. }),
            Self::Store(error) => matches!(error, StoreError::Unavailable(_)),
        }
    }

    /// Whether a process has the store that lets nobody else in, but takes commands.
    fn is_in_use(&self) -> bool {
        match self {
            Self::Sqlite(error) => matches!(error, SqliteOpenError::InUse { .. }),
            Self::Postgres(_) | Self::Store(_) => false,
        }
    }

    /// Whether there is no store.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        match self {
            Self::Sqlite(error) => matches!(error, SqliteOpenError::Missing { .. }),
            Self::Postgres(error) => matches!(error, PostgresOpenError::Missing { .. }),
            Self::Store(_) => false,
        }
    }
}
