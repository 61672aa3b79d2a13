//! The seam between the mirror and a driver: one connection, and a unit of work on it.

use std::collections::{HashMap, HashSet};
use std::fmt;

use async_trait::async_trait;

use super::bulk::Bulk;
use super::dialect::Dialect;
use super::error::DatabaseError;
use super::limits::Limits;
use super::live_table::LiveTable;
use super::parameter::{Cell, Param, Sql};
use super::refusal::{Refusal, RefusalKind};
use crate::value::{Kind, Value};

/// A database that a mirror can be in.
#[async_trait]
pub(crate) trait MirrorDatabase: fmt::Debug + Send + Sync + 'static {
    /// How it writes SQL.
    fn dialect(&self) -> Dialect;

    /// Whether there certainly is no such database: nothing was ever written there.
    fn is_absent(&self) -> bool {
        false
    }

    /// Whether some constraints cannot be checked before the commit, whatever they are asked.
    fn checks_at_commit_alone(&self) -> bool {
        false
    }

    /// A connection that may write; the database is made where the driver can do that.
    async fn connect(&self) -> Result<Box<dyn DbSession>, DatabaseError>;

    /// A connection that only reads, to a database that is there.
    async fn connect_to_read(&self) -> Result<Box<dyn DbSession>, DatabaseError>;
}

/// One connection with at most one transaction. Dropped in the middle of a transaction, it is
/// closed, and the transaction never was.
#[async_trait]
pub(crate) trait DbSession: fmt::Debug + Send {
    /// Begins a transaction that nobody else who writes to this schema runs beside.
    async fn begin(&mut self, schema: &str, limits: Limits) -> Result<(), DatabaseError>;

    /// Begins to read one snapshot.
    async fn begin_to_read(&mut self) -> Result<(), DatabaseError>;

    /// Makes everything since `begin` durable and visible.
    async fn commit(&mut self) -> Result<(), DatabaseError>;

    /// Undoes everything since `begin`.
    async fn rollback(&mut self) -> Result<(), DatabaseError>;

    /// Opens a unit of work: a savepoint. Units nest.
    async fn begin_unit(&mut self) -> Result<(), DatabaseError> {
        self.execute(&"SAVEPOINT unit".into(), &[]).await.map(drop)
    }

    /// Keeps what was done since the unit was opened.
    async fn keep_unit(&mut self) -> Result<(), DatabaseError> {
        self.execute(&"RELEASE SAVEPOINT unit".into(), &[]).await.map(drop)
    }

    /// Undoes what was done since the unit was opened.
    async fn undo_unit(&mut self) -> Result<(), DatabaseError> {
        self.execute(&"ROLLBACK TO SAVEPOINT unit".into(), &[]).await?;
        self.execute(&"RELEASE SAVEPOINT unit".into(), &[]).await.map(drop)
    }

    /// Whether a unit of work is committed by itself, and what is outside of one at once: see
    /// [`Limits::Isolating`].
    fn commits_units(&self) -> bool {
        false
    }

    /// Whether what is refused is looked for: see [`Limits::Isolating`].
    fn isolates(&self) -> bool {
        false
    }

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

    /// Runs the statement with no rows at all: what is refused now is refused for every row.
    async fn probe(&mut self, bulk: &Bulk) -> Result<(), DatabaseError>;

    /// Has the database plan the statement, with nulls for this many parameters. It runs nothing.
    async fn explain(&mut self, sql: &Sql, parameters: usize) -> Result<(), DatabaseError>;

    /// The objects of the schema, and the columns of these tables.
    async fn inventory(
        &mut self,
        schema: &str,
        tables: &[String],
    ) -> Result<Inventory, DatabaseError>;

    /// The application's table of this name, with or without its schema.
    async fn describe(&mut self, table: &str) -> Result<Option<LiveTable>, DatabaseError>;

    /// The types of the statement's parameters, as the database understands it; it runs nothing.
    async fn parameter_types(&mut self, sql: &Sql) -> Result<Vec<String>, DatabaseError>;

    /// Sets the connection up for what follows, and the database where nothing is in it but this
    /// schema.
    async fn configure_session(&mut self, schema: &str) -> Result<(), DatabaseError>;

    async fn close(self: Box<Self>) -> Result<(), DatabaseError>;
}

/// The objects of one schema.
#[derive(Debug, Default)]
pub(crate) struct Inventory {
    pub(crate) schema: bool,
    /// Tables, views and indexes, by their names within the schema.
    pub(crate) objects: HashSet<String>,
    /// The columns of each table that was asked for and is there.
    pub(crate) columns: HashMap<String, HashSet<String>>,
}

/// Ends the unit of work: keeps what `done` says was done, or undoes what the database refused. It
/// may refuse when it is asked to keep it.
pub(crate) async fn end_unit<T>(
    session: &mut dyn DbSession,
    done: Result<T, DatabaseError>,
) -> Result<Result<T, Refusal>, DatabaseError> {
    let refusal = match done {
        Ok(done) => match session.keep_unit().await {
            Ok(()) => return Ok(Ok(done)),
            Err(DatabaseError::Refused { refusal, .. }) => *refusal,
            Err(error) => return Err(error),
        },
        Err(DatabaseError::Refused { refusal, .. }) => *refusal,
        Err(error) => return Err(error),
    };
    session.undo_unit().await?;
    if refusal.kind == RefusalKind::Transient && !session.isolates() {
        // It says nothing about this unit: all of it is tried again, and then isolated with shorter limits.
        return Err(DatabaseError::refused(refusal));
    }
    Ok(Err(refusal))
}
