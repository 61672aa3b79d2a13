//! The mirror in a database, by one writing connection, whatever the database.

mod apply;
mod checkpoints;
mod isolate;
mod merge;
mod migrate;
mod reader;
mod rekey;
mod retry;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use deskbell_store::Seq;
use tokio::sync::{Mutex, MutexGuard};

use apply::Work;
pub(crate) use migrate::{Plan, Step};
pub(crate) use reader::TableReader;

use crate::batch::Batch;
use crate::checkpoint::Checkpoint;
use crate::connect::{ConnectError, check_schema_name};
use crate::mapped::{
    MappedTableError, MappedTableProblem, MappedTarget, Patience, Scope, StatementTarget,
};
use crate::mapping::Mappings;
use crate::options::MirrorOptions;
use crate::schema::{self, Table};
use crate::session::{Database, DatabaseError, Session};
use crate::sql::Statements;
use crate::target::{Care, Commit, Retry, Target, TargetError, Waiting};

/// How long a database may take to say goodbye; what was done is committed by then.
const CLOSE_MAX: Duration = Duration::from_secs(5);

/// A mirror in one schema of one database.
#[derive(Debug)]
pub(crate) struct Mirror {
    database: Arc<dyn Database>,
    schema: String,
    destination: String,
    mappings: Arc<Mappings>,
    tables: Vec<Table>,
    auto_migrate: bool,
    patience: Patience,
    answer_within: Duration,
    statements: Statements,
    /// `None` after a failure, until the next unit of work opens another one.
    connection: Mutex<Option<Connected>>,
}

/// How a mirror is kept.
#[derive(Debug)]
pub(crate) struct MirrorSettings {
    pub(crate) schema: String,
    pub(crate) destination: String,
    pub(crate) mappings: Arc<Mappings>,
    pub(crate) auto_migrate: bool,
    pub(crate) conflict_patience: Duration,
    pub(crate) answer_within: Duration,
}

impl MirrorSettings {
    pub(crate) fn of(options: &MirrorOptions) -> Result<Self, ConnectError> {
        check_schema_name(&options.schema)?;
        Ok(Self {
            schema: options.schema.clone(),
            destination: options.destination.clone(),
            mappings: Arc::new(Mappings::for_options(options)?),
            auto_migrate: options.auto_migrate,
            conflict_patience: options.conflict_patience,
            answer_within: options.answer_within,
        })
    }
}

impl Mirror {
    /// Opens the database, and makes the tables that are missing.
    pub(crate) async fn open(
        database: Arc<dyn Database>,
        settings: MirrorSettings,
    ) -> Result<Self, ConnectError> {
        let MirrorSettings { schema, destination, mappings, .. } = settings;
        let MirrorSettings { auto_migrate, conflict_patience, answer_within, .. } = settings;
        let statements = Statements::new(database.dialect(), &schema, &mappings);
        let mirror = Self {
            tables: schema::tables(&mappings),
            connection: Mutex::new(None),
            database: Arc::clone(&database),
            schema,
            destination,
            mappings,
            auto_migrate,
            patience: Patience { dialect: database.dialect(), lasts: conflict_patience },
            answer_within,
            statements,
        };
        let connected = mirror.connect().await?;
        *mirror.connection.lock().await = Some(connected);
        Ok(mirror)
    }

    async fn connect(&self) -> Result<Connected, ConnectError> {
        let mut session = self.database.connect().await.map_err(ConnectError::from)?;
        let plan = Plan::new(self.database.dialect(), &self.schema, &self.tables);
        plan.check(session.as_mut()).await?;
        session.settle_in().await?;
        if self.auto_migrate {
            plan.migrate(session.as_mut()).await?;
        } else {
            plan.require_nothing(session.as_mut()).await?;
        }
        let application = self.application(session.as_mut()).await?;
        Ok(Connected { session, application })
    }

    /// The application's tables and statements, checked against the database as it is now.
    async fn application(&self, session: &mut dyn Session) -> Result<Application, ConnectError> {
        let scope = Scope {
            dialect: self.database.dialect(),
            schema: &self.schema,
            destination: &self.destination,
        };
        let mut application = Application::default();
        for table in self.mappings.tables() {
            let fit =
                |problem| MappedTableError { declared_at: table.declared_at.clone(), problem };
            let live = session.describe(&table.into).await?;
            let no_table = || MappedTableProblem::NoTable { into: table.into.clone() };
            let live = live.ok_or_else(no_table).map_err(fit)?;
            let target = MappedTarget::new(scope, Arc::clone(table), &live);
            application.tables.push(target.map_err(fit)?);
        }
        MappedTarget::link(scope, &mut application.tables);
        for statement in self.mappings.statements() {
            let fit =
                |problem| MappedTableError { declared_at: statement.declared_at.clone(), problem };
            let target = StatementTarget::new(session, scope, Arc::clone(statement));
            application.statements.push(target.await?.map_err(fit)?);
        }
        Ok(application)
    }

    async fn in_time<T>(
        &self,
        work: impl Future<Output = Result<T, TargetError>>,
    ) -> Result<T, TargetError> {
        let timeout = tokio::time::timeout(self.answer_within, work).await;
        timeout.unwrap_or(Err(TargetError::Timeout { seconds: self.answer_within.as_secs() }))
    }

    /// A connection for one unit of work.
    async fn unit(&self) -> Result<Unit<'_>, TargetError> {
        let mut held = self.connection.lock().await;
        let connected = match held.take() {
            Some(connected) => connected,
            None => self.connect().await.map_err(TargetError::Unusable)?,
        };
        Ok(Unit { held, connected })
    }
}

/// A connection, and what was found there.
#[derive(Debug)]
struct Connected {
    session: Box<dyn Session>,
    application: Application,
}

/// The application's own tables and statements in this database.
#[derive(Debug, Default)]
struct Application {
    tables: Vec<MappedTarget>,
    statements: Vec<StatementTarget>,
}

/// The connection while one unit of work uses it. Where that fails or is dropped, the connection
/// goes with it: what state it is in is not known, and the database may have been replaced.
struct Unit<'a> {
    held: MutexGuard<'a, Option<Connected>>,
    connected: Connected,
}

impl Unit<'_> {
    /// Leaves the connection for the next unit of work.
    fn keep(self) {
        let Self { mut held, connected } = self;
        *held = Some(connected);
    }
}

#[async_trait]
impl Target for Mirror {
    fn mappings(&self) -> Arc<Mappings> {
        Arc::clone(&self.mappings)
    }

    async fn checkpoints(&self, destination: &str) -> Result<Vec<Checkpoint>, TargetError> {
        self.in_time(async {
            let mut unit = self.unit().await?;
            let sql = &self.statements.checkpoints;
            let found =
                checkpoints::read(unit.connected.session.as_mut(), sql, destination).await?;
            unit.keep();
            Ok(found)
        })
        .await
    }

    async fn take_over(
        &self,
        current: Option<&Checkpoint>,
        next: &Checkpoint,
    ) -> Result<Commit, TargetError> {
        self.in_time(async {
            let mut unit = self.unit().await?;
            let session = unit.connected.session.as_mut();
            session.begin(&self.schema).await?;
            let commit = checkpoints::take_over(session, &self.statements, current, next).await?;
            session.commit().await?;
            unit.keep();
            Ok(commit)
        })
        .await
    }

    async fn apply(
        &self,
        batch: &Batch,
        current: &Checkpoint,
        next: &Checkpoint,
        care: Care,
    ) -> Result<Commit, TargetError> {
        self.in_time(async {
            let mut unit = self.unit().await?;
            let Connected { session, application } = &mut unit.connected;
            let session = session.as_mut();
            session.begin(&self.schema).await?;
            let mut commit = checkpoints::swap(session, &self.statements, current, next).await?;
            if commit == Commit::Lost {
                session.rollback().await?;
            } else {
                let work = Work {
                    statements: &self.statements,
                    application,
                    patience: self.patience,
                    destination: &next.destination,
                    ran_up_to: current.statements,
                    care,
                };
                commit = work.apply(session, batch).await?;
                session.commit().await?;
            }
            unit.keep();
            Ok(commit)
        })
        .await
    }

    async fn waiting(&self, destination: &str) -> Result<Waiting, TargetError> {
        self.in_time(async {
            let mut unit = self.unit().await?;
            let Connected { session, application } = &mut unit.connected;
            let tables = &application.tables;
            let waiting =
                retry::waiting(session.as_mut(), &self.statements, tables, destination).await?;
            unit.keep();
            Ok(waiting)
        })
        .await
    }

    async fn retry(&self, retry: &Retry, current: &Checkpoint) -> Result<Commit, TargetError> {
        self.in_time(async {
            let mut unit = self.unit().await?;
            let Connected { session, application } = &mut unit.connected;
            let session = session.as_mut();
            session.begin(&self.schema).await?;
            let mut commit = checkpoints::swap(session, &self.statements, current, current).await?;
            if commit == Commit::Lost {
                session.rollback().await?;
            } else {
                let destination = &current.destination;
                retry::take(session, &self.statements, destination, retry).await?;
                let work = Work {
                    statements: &self.statements,
                    application,
                    patience: self.patience,
                    destination,
                    ran_up_to: Some(Seq::ZERO),
                    care: Care::Isolate,
                };
                commit = work.apply(session, &retry.batch).await?;
                session.commit().await?;
            }
            unit.keep();
            Ok(commit)
        })
        .await
    }

    async fn close(&self) {
        let Some(connected) = self.connection.lock().await.take() else { return };
        match tokio::time::timeout(CLOSE_MAX, connected.session.close()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                let error = &error.into_backend() as &dyn std::error::Error;
                tracing::warn!(error, "the mirror closed uncleanly");
            }
            Err(_) => tracing::warn!("the mirror's database did not say goodbye"),
        }
    }
}

impl From<DatabaseError> for TargetError {
    fn from(error: DatabaseError) -> Self {
        match error {
            DatabaseError::Refused { .. } => Self::Refused(error.into_backend()),
            DatabaseError::Away(_) => Self::Unavailable(error.into_backend()),
        }
    }
}

impl From<DatabaseError> for ConnectError {
    fn from(error: DatabaseError) -> Self {
        Self::Database(error.into_backend())
    }
}
