//! The database behind a URL.

use std::sync::Arc;

use deskbell_store::BackendError;

use super::connect_error::ConnectError;
use crate::db::{Dialect, MirrorDatabase, PostgresDatabase, SqliteDatabase};

/// The database at this URL, not connected to yet.
pub(crate) fn database(url: &str) -> Result<Arc<dyn MirrorDatabase>, ConnectError> {
    let unusable = |error: sqlx::Error| ConnectError::Database(BackendError::new(error));
    Ok(match Dialect::of_url(url).ok_or(ConnectError::UnsupportedUrl)? {
        Dialect::Sqlite => Arc::new(SqliteDatabase::new(url).map_err(unusable)?),
        Dialect::Postgres => Arc::new(PostgresDatabase::new(url).map_err(unusable)?),
    })
}
