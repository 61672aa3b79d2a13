//! The database behind a URL.

use std::sync::Arc;

use deskbell_config::DatabaseUrl;
use deskbell_store::BackendError;

use super::connect_error::ConnectError;
use crate::db::{MirrorDatabase, PostgresDatabase, SqliteDatabase};

/// The database at this URL, not connected to yet.
pub(crate) fn database(url: &DatabaseUrl) -> Result<Arc<dyn MirrorDatabase>, ConnectError> {
    let unusable = |error: sqlx::Error| ConnectError::Database(BackendError::new(error));
    Ok(match url {
        DatabaseUrl::Sqlite(url) => Arc::new(SqliteDatabase::new(url.path())),
        DatabaseUrl::Postgres(_) => {
            Arc::new(PostgresDatabase::new(&url.with_password()).map_err(unusable)?)
        }
    })
}
