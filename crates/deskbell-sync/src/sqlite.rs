//! The mirror in one SQLite file, by one writing connection.

mod apply;
mod checkpoints;
mod migrate;
mod open;
mod reader;
mod statements;

use std::sync::Arc;

use async_trait::async_trait;
use deskbell_store::BackendError;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection, SqliteConnection};
use tokio::sync::Mutex;

pub(crate) use reader::SqliteReader;

use open::Database;

use crate::batch::Batch;
use crate::checkpoint::Checkpoint;
use crate::connect::ConnectError;
use crate::mapping::Mappings;
use crate::target::{Commit, Target, TargetError};

/// A mirror in SQLite.
#[derive(Debug)]
pub(crate) struct SqliteTarget {
    mappings: Arc<Mappings>,
    database: Database,
    statements: statements::Statements,
    /// `None` after a failure, until the next unit of work opens another one.
    connection: Mutex<Option<SqliteConnection>>,
}

impl SqliteTarget {
    pub(crate) async fn open(
        url: &str,
        schema: &str,
        mappings: Arc<Mappings>,
    ) -> Result<Self, ConnectError> {
        let options: SqliteConnectOptions = url.parse().map_err(database_error)?;
        let statements = statements::Statements::new(schema, &mappings);
        let database = Database::new(options, schema, &mappings);
        let connection = Mutex::new(Some(database.open().await?));
        Ok(Self { mappings, database, statements, connection })
    }

    /// Does one unit of work. A connection that failed is not used again: what state it is in is
    /// not known, and the file may have been replaced.
    async fn with_connection<T>(
        &self,
        work: impl AsyncFnOnce(&mut SqliteConnection) -> Result<T, TargetError>,
    ) -> Result<T, TargetError> {
        let mut held = self.connection.lock().await;
        let mut connection = match held.take() {
            Some(connection) => connection,
            None => self.database.open().await.map_err(TargetError::Unusable)?,
        };
        let result = work(&mut connection).await;
        if result.is_ok() {
            *held = Some(connection);
        }
        result
    }
}

#[async_trait]
impl Target for SqliteTarget {
    fn mappings(&self) -> Arc<Mappings> {
        Arc::clone(&self.mappings)
    }

    async fn checkpoints(&self, destination: &str) -> Result<Vec<Checkpoint>, TargetError> {
        self.with_connection(async |connection| {
            checkpoints::read(connection, &self.statements.checkpoints, destination).await
        })
        .await
    }

    async fn take_over(
        &self,
        current: Option<&Checkpoint>,
        next: &Checkpoint,
    ) -> Result<Commit, TargetError> {
        self.with_connection(async |connection| {
            Ok(checkpoints::take_over(connection, &self.statements, current, next).await?)
        })
        .await
    }

    async fn apply(
        &self,
        batch: Batch,
        current: &Checkpoint,
        next: &Checkpoint,
    ) -> Result<Commit, TargetError> {
        self.with_connection(async |connection| {
            Ok(apply::apply(connection, &self.statements, batch, current, next).await?)
        })
        .await
    }

    async fn close(&self) {
        if let Some(connection) = self.connection.lock().await.take()
            && let Err(error) = connection.close().await
        {
            tracing::warn!(error = &error as &dyn std::error::Error, "the mirror closed uncleanly");
        }
    }
}

impl From<sqlx::Error> for TargetError {
    fn from(error: sqlx::Error) -> Self {
        Self::Unavailable(BackendError::new(error))
    }
}

fn database_error(error: sqlx::Error) -> ConnectError {
    ConnectError::Database(BackendError::new(error))
}
