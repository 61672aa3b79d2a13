//! Where a store under test is, as a command line says it.

use std::convert::Infallible;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use deskbell_store::{PostgresOptions, Store};

use crate::error::BenchError;

/// A store's file, or the URL of its database.
#[derive(Debug, Clone)]
pub(crate) enum Location {
    Sqlite(PathBuf),
    Postgres(String),
}

impl Location {
    pub(crate) fn file(path: impl Into<PathBuf>) -> Self {
        Self::Sqlite(path.into())
    }

    /// Has the store make its tables.
    pub(crate) async fn make(&self) -> Result<(), BenchError> {
        self.open().await?.close().await;
        Ok(())
    }

    /// Opens the store, and makes it where there is none.
    pub(crate) async fn open(&self) -> Result<Arc<dyn Store>, BenchError> {
        let location = match self {
            Self::Sqlite(path) => deskbell_store::StoreLocation::Sqlite(path.clone()),
            Self::Postgres(url) => {
                deskbell_store::StoreLocation::Postgres(PostgresOptions::new(url))
            }
        };
        Ok(location.open().await?)
    }
}

impl FromStr for Location {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        let is_url = text.starts_with("postgres://") || text.starts_with("postgresql://");
        Ok(if is_url { Self::Postgres(text.to_owned()) } else { Self::Sqlite(text.into()) })
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => path.display().fmt(f),
            Self::Postgres(url) => f.write_str(url),
        }
    }
}
