//! Counting the rows of one value in any table of a database, such as the application's.

use std::sync::Arc;

use deskbell_config::DatabaseUrl;
use tokio::sync::Mutex;

use super::error::InspectError;
use crate::db::{DbSession, Dialect, LiveTable, MirrorDatabase, Param, quoted};
use crate::mirror_target::{ConnectError, TargetError, database};
use crate::value::{Kind, Value};

/// Counts the rows whose column has a text. It changes nothing.
#[derive(Debug)]
pub struct RowCounter {
    database: Arc<dyn MirrorDatabase>,
    table: String,
    column: String,
    session: Mutex<Option<Box<dyn DbSession>>>,
}

impl RowCounter {
    /// For a column of a table, the table with or without its schema.
    ///
    /// # Errors
    /// The database cannot be opened.
    pub async fn open(url: &DatabaseUrl, table: &str, column: &str) -> Result<Self, InspectError> {
        let database = database(url)?;
        let session = database.connect_to_read().await.map_err(ConnectError::from)?;
        Ok(Self {
            database,
            table: table.to_owned(),
            column: column.to_owned(),
            session: Mutex::new(Some(session)),
        })
    }

    /// The number of rows that have this text in the column.
    ///
    /// # Errors
    /// There is no such table or column, or the database failed.
    pub async fn count(&self, text: &str) -> Result<u64, InspectError> {
        let taken = self.session.lock().await.take();
        let mut session = match taken {
            Some(session) => session,
            None => self.database.connect_to_read().await.map_err(ConnectError::from)?,
        };
        session.begin_to_read().await.map_err(TargetError::from)?;
        let described = session.describe(&self.table).await.map_err(TargetError::from)?;
        let live =
            described.ok_or_else(|| InspectError::NoSuchTable { table: self.table.clone() })?;
        if live.column(&self.column).is_none() {
            let (table, column) = (self.table.clone(), self.column.clone());
            return Err(InspectError::NoSuchColumn { table, column });
        }
        let sql = statement(self.database.dialect(), &live, &self.column);
        let rows = session.fetch(&sql.into(), &[Param::Text(text)], &[Kind::Integer]).await;
        let rows = rows.map_err(TargetError::from)?;
        session.rollback().await.map_err(TargetError::from)?;
        *self.session.lock().await = Some(session);
        let count = rows.first().and_then(|row| row.first()).and_then(Value::integer);
        Ok(count.and_then(|count| u64::try_from(count).ok()).unwrap_or_default())
    }
}

fn statement(dialect: Dialect, table: &LiveTable, column: &str) -> String {
    let column = quoted(column);
    let text = match dialect {
        Dialect::Sqlite => column,
        Dialect::Postgres => format!("{column}::text"),
    };
    format!("SELECT count(*) FROM {} WHERE {text} = $1", table.name)
}
