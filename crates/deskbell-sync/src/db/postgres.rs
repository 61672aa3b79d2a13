//! PostgreSQL: a mirror in one schema of a database.

mod describe;
mod session;
mod timestamp;

use std::time::Duration;

use async_trait::async_trait;
use deskbell_store::PostgresConnector;
use sqlx::ConnectOptions;

use super::dialect::Dialect;
use super::error::DatabaseError;
use super::session::{DbSession, MirrorDatabase};
use session::PostgresSession;

/// How long a connection may take to be made.
const CONNECT_MAX: Duration = Duration::from_secs(10);

/// A database on a server.
#[derive(Debug)]
pub(crate) struct PostgresDatabase {
    connector: PostgresConnector,
}

impl PostgresDatabase {
    pub(crate) fn new(url: &str) -> Result<Self, sqlx::Error> {
        let connector = PostgresConnector::new(url)?;
        // What takes long is reported by us, with the destination's name.
        Ok(Self { connector: connector.map_options(ConnectOptions::disable_statement_logging) })
    }

    async fn open(&self) -> Result<Box<dyn DbSession>, DatabaseError> {
        let connection = self.connector.connect_within(CONNECT_MAX).await?;
        Ok(Box::new(PostgresSession::new(connection)))
    }
}

#[async_trait]
impl MirrorDatabase for PostgresDatabase {
    fn dialect(&self) -> Dialect {
        Dialect::Postgres
    }

    async fn connect(&self) -> Result<Box<dyn DbSession>, DatabaseError> {
        self.open().await
    }

    async fn connect_to_read(&self) -> Result<Box<dyn DbSession>, DatabaseError> {
        self.open().await
    }
}
