//! Why a database could not be read.

use crate::mirror_target::{ConnectError, TargetError};

/// A database that could not be read.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    /// The URL or the schema's name makes no sense, or the database cannot be opened.
    #[error(transparent)]
    Open(#[from] ConnectError),
    #[error("the database has no table {table:?}")]
    NoSuchTable { table: String },
    #[error("the table {table:?} has no column {column:?}")]
    NoSuchColumn { table: String, column: String },
    #[error("cannot read the mirror")]
    Database(#[from] TargetError),
}
