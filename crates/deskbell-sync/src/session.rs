//! The seam between the mirror and a driver: one connection, and what a unit of work does with it.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use clerk_webhooks::UnixMillis;
use deskbell_store::BackendError;

use crate::entity::Kind;
use crate::mapped::{LiveTable, Refusal};
use crate::schema::Dialect;
use crate::sql::Bulk;
use crate::value::Value;

/// The text of a statement, the same every time, so that it stays prepared.
pub(crate) type Sql = Arc<str>;

/// A database that can be connected to.
#[async_trait]
pub(crate) trait Database: fmt::Debug + Send + Sync + 'static {
    /// How it writes SQL.
    fn dialect(&self) -> Dialect;

    /// Whether there certainly is no such database: nothing was ever written there.
    fn is_absent(&self) -> bool {
        false
    }

    /// A connection that may write; the database is made where the driver can do that.
    async fn connect(&self) -> Result<Box<dyn Session>, DatabaseError>;

    /// A connection that only reads, to a database that is there.
    async fn connect_to_read(&self) -> Result<Box<dyn Session>, DatabaseError>;
}

/// One connection with at most one transaction. Dropped in the middle of a transaction, it is
/// closed, and the transaction never was.
#[async_trait]
pub(crate) trait Session: fmt::Debug + Send {
    /// Begins a unit of work that nobody else who writes to this schema runs beside.
    async fn begin(&mut self, schema: &str) -> Result<(), DatabaseError>;

    /// Begins to read one snapshot.
    async fn begin_to_read(&mut self) -> Result<(), DatabaseError>;

    /// Makes everything since `begin` durable and visible.
    async fn commit(&mut self) -> Result<(), DatabaseError>;

    /// Undoes everything since `begin`.
    async fn rollback(&mut self) -> Result<(), DatabaseError>;

    /// Runs one statement; the number of rows that it changed.
    async fn execute(&mut self, sql: &Sql, parameters: &[Param<'_>]) -> Result<u64, DatabaseError>;

    /// Runs one query whose columns are of these kinds.
    async fn fetch(
        &mut self,
        sql: &Sql,
        parameters: &[Param<'_>],
        kinds: &[Kind],
    ) -> Result<Vec<Vec<Value>>, DatabaseError>;

    /// Runs a statement over many rows of values at once; the number of rows that it changed.
    async fn bulk(&mut self, bulk: &Bulk, rows: &[Vec<Cell<'_>>]) -> Result<u64, DatabaseError>;

    /// What the database has under names of ours.
    async fn inventory(
        &mut self,
        schema: &str,
        tables: &[String],
    ) -> Result<Inventory, DatabaseError>;

    /// The application's table of this name, with or without its schema.
    async fn describe(&mut self, table: &str) -> Result<Option<LiveTable>, DatabaseError>;

    /// The types of the statement's parameters, as the database understands it; it runs nothing.
    async fn parameter_types(&mut self, sql: &Sql) -> Result<Vec<String>, DatabaseError>;

    /// Sets the database up for what follows, once it is known to be ours.
    async fn settle_in(&mut self) -> Result<(), DatabaseError>;

    /// Ends the connection.
    async fn close(self: Box<Self>) -> Result<(), DatabaseError>;
}

/// A parameter of a statement.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Param<'a> {
    Text(&'a str),
    Integer(i64),
    /// A text, or null.
    OptionalText(Option<&'a str>),
    Float(f64),
    Boolean(bool),
    /// A list of texts, as one parameter.
    Texts(&'a [&'a str]),
}

/// One value of many, borrowed from a batch.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Cell<'a> {
    Null,
    /// A text, or JSON.
    Text(&'a str),
    Integer(i64),
    Float(f64),
    Boolean(bool),
    Time(UnixMillis),
}

/// What a database has in one schema.
#[derive(Debug, Default)]
pub(crate) struct Inventory {
    /// Whether the schema itself is there.
    pub(crate) schema: bool,
    /// Tables, views and indexes, by their names within the schema.
    pub(crate) objects: HashSet<String>,
    /// The columns of each table that was asked for and is there.
    pub(crate) columns: HashMap<String, HashSet<String>>,
}

/// What a driver could not do.
#[derive(Debug)]
pub(crate) enum DatabaseError {
    /// The database will not have these values, now or ever; it says why.
    /// `conflict`: because of other rows, which may change.
    Refused { reason: String, conflict: bool, source: sqlx::Error },
    /// It failed, or is away. The connection may be of no more use.
    Failed(sqlx::Error),
}

impl From<sqlx::Error> for DatabaseError {
    fn from(source: sqlx::Error) -> Self {
        match crate::sqlite::refusal(&source).or_else(|| crate::postgres::refusal(&source)) {
            Some(Refusal { reason, conflict }) => Self::Refused { reason, conflict, source },
            None => Self::Failed(source),
        }
    }
}

impl DatabaseError {
    /// What the database itself says, where it answered.
    pub(crate) fn complaint(&self) -> Option<String> {
        let (Self::Refused { source, .. } | Self::Failed(source)) = self;
        source.as_database_error().map(|error| error.message().to_owned())
    }

    pub(crate) fn into_backend(self) -> BackendError {
        match self {
            Self::Refused { source, .. } | Self::Failed(source) => BackendError::new(source),
        }
    }
}

impl<'a> From<&'a Value> for Cell<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Text(text) | Value::Json(text) => Self::Text(text),
            Value::Integer(integer) => Self::Integer(*integer),
            Value::Boolean(boolean) => Self::Boolean(*boolean),
            Value::Time(time) => Self::Time(*time),
        }
    }
}

/// Opens a savepoint, so that what follows can be undone alone.
pub(crate) async fn savepoint(session: &mut dyn Session) -> Result<(), DatabaseError> {
    session.execute(&"SAVEPOINT unit".into(), &[]).await.map(drop)
}

/// Keeps what was done since the savepoint.
pub(crate) async fn release(session: &mut dyn Session) -> Result<(), DatabaseError> {
    session.execute(&"RELEASE SAVEPOINT unit".into(), &[]).await.map(drop)
}

/// Undoes what was done since the savepoint.
pub(crate) async fn undo(session: &mut dyn Session) -> Result<(), DatabaseError> {
    session.execute(&"ROLLBACK TO SAVEPOINT unit".into(), &[]).await?;
    release(session).await
}
