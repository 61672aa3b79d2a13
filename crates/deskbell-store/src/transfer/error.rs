//! What keeps a store from being copied.

use crate::{PostgresOpenError, SqliteOpenError, StoreError};

/// A transfer that has not ended. The source is as it was; started again, it goes on.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    #[error("cannot use the source store")]
    Source(#[from] SqliteOpenError),
    #[error("cannot use the target store")]
    Target(#[from] PostgresOpenError),
    /// There is another log in the target.
    #[error(
        "the target store already has events of another log; use an empty database, or delete the \
         log there: DROP SCHEMA deskbell CASCADE"
    )]
    NotEmpty,
    #[error("a store failed during the transfer; run the same command again to continue")]
    Store(#[from] StoreError),
    /// Both sides differ.
    #[error(
        "{table} differs: {source_rows} rows in the source, {target_rows} in the target, or \
         different rows; something else has written to the target. Delete the log there and start \
         again: DROP SCHEMA deskbell CASCADE"
    )]
    Differs { table: &'static str, source_rows: u64, target_rows: u64 },
}

impl From<sqlx::Error> for TransferError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}
