//! The seam between the mirror and a driver: one connection, and what a unit of work does with it.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use clerk_webhooks::UnixMillis;
use deskbell_store::BackendError;

use crate::mapped::LiveTable;
use crate::refusal::{Meaning, Refusal, RefusalKind};
use crate::schema::Dialect;
use crate::sql::Bulk;
use crate::value::{Kind, Value};

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

    /// Whether some constraints cannot be checked before the commit, whatever they are asked.
    fn checks_at_commit_alone(&self) -> bool {
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

    /// Sets the connection up for what follows, and the database where nothing is in it but this
    /// schema.
    async fn settle_in(&mut self, schema: &str) -> Result<(), DatabaseError>;

    /// Ends the connection.
    async fn close(self: Box<Self>) -> Result<(), DatabaseError>;
}

/// How long a transaction may wait for locks, and each of its statements may work. The server ends
/// what takes longer, with an answer: nobody's lock holds the rest up for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Limits {
    /// As long as it needs: migrations and rebuilds.
    Unlimited,
    /// A batch, by a part of the time in which the database must answer.
    Batch { answer_within: Duration },
    /// Looking for what is refused.
    Isolating {
        answer_within: Duration,
        /// After this time no further unit of work is begun: the batch is cut.
        budget: Option<Duration>,
        /// Each unit of work is a transaction: for databases that check some constraints at
        /// a commit alone, and cannot be asked before.
        commit_units: bool,
    },
}

/// While isolating, a statement waits for a lock, or works, up to this long: whoever holds the lock
/// holds up one unit of work for this time, and not the batch.
const ISOLATING_MAX: Duration = Duration::from_secs(2);
/// A migration and a rebuild wait this long for somebody else's lock.
const UNLIMITED_LOCK_MAX: Duration = Duration::from_secs(60);

impl Limits {
    /// How long the database may take to answer at all.
    pub(crate) fn answer(self) -> Option<Duration> {
        match self {
            Self::Unlimited => None,
            Self::Batch { answer_within } | Self::Isolating { answer_within, .. } => {
                Some(answer_within)
            }
        }
    }

    /// How long a lock is waited for.
    pub(crate) fn lock(self) -> Duration {
        match self {
            Self::Unlimited => UNLIMITED_LOCK_MAX,
            Self::Batch { answer_within } => answer_within / 10,
            Self::Isolating { answer_within, .. } => ISOLATING_MAX.min(answer_within / 10),
        }
    }

    /// How long a statement may work; `None`: without limit.
    pub(crate) fn statement(self) -> Option<Duration> {
        match self {
            Self::Unlimited => None,
            Self::Batch { answer_within } => Some(answer_within * 2 / 3),
            Self::Isolating { answer_within, .. } => Some(ISOLATING_MAX.min(answer_within * 2 / 3)),
        }
    }

    pub(crate) fn isolates(self) -> bool {
        matches!(self, Self::Isolating { .. })
    }
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
    /// The database answered that it will not do this; it can go on with something else.
    Refused { refusal: Box<Refusal>, source: sqlx::Error },
    /// It did not answer, or cannot work now. The connection may be of no more use.
    Away(sqlx::Error),
    /// Looking for what it refuses took longer than one transaction may.
    OverBudget,
}

impl From<sqlx::Error> for DatabaseError {
    fn from(source: sqlx::Error) -> Self {
        match Meaning::of(&source) {
            Meaning::Refused(refusal) => Self::Refused { refusal: Box::new(refusal), source },
            Meaning::Away => Self::Away(source),
        }
    }
}

impl DatabaseError {
    /// For those who cannot do without what was refused.
    pub(crate) fn refused(refusal: Refusal) -> Self {
        let source = sqlx::Error::Protocol(refusal.reason.clone());
        Self::Refused { refusal: Box::new(refusal), source }
    }

    /// What the database itself says, where it answered.
    pub(crate) fn complaint(&self) -> Option<String> {
        match self {
            Self::Refused { source, .. } | Self::Away(source) => {
                source.as_database_error().map(|error| error.message().to_owned())
            }
            Self::OverBudget => None,
        }
    }

    /// In the database's own words, where it answered.
    pub(crate) fn into_backend(self) -> BackendError {
        match self {
            Self::Refused { refusal, .. } => BackendError::new(*refusal),
            Self::Away(sqlx::Error::Database(answer)) => {
                BackendError::new(std::io::Error::other(answer.message().to_owned()))
            }
            Self::Away(source) => BackendError::new(source),
            Self::OverBudget => BackendError::new(std::io::Error::other("over budget")),
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

/// Opens a unit of work within the transaction: what follows can be undone alone.
pub(crate) async fn begin_unit(session: &mut dyn Session) -> Result<(), DatabaseError> {
    session.begin_unit().await
}

/// Ends the unit of work: keeps what `done` says was done, or undoes what the database refused. It
/// may refuse when it is asked to keep it.
pub(crate) async fn end_unit<T>(
    session: &mut dyn Session,
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
