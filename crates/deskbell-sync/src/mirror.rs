//! The mirror in a database, by one writing connection, whatever the database.

mod apply;
mod blocked;
mod checkpoints;
mod isolate;
mod isolating;
mod kept;
mod merge;
mod migrate;
mod reader;
mod refused;
mod rekey;
mod remake;
mod retry;
mod sweep;
mod unit;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use deskbell_store::{BackendError, LogId, Seq};
use tokio::sync::{Mutex, MutexGuard};

use crate::batch::Batch;
use crate::checkpoint::Checkpoint;
use crate::db::{Database, Dialect, Limited, Session, Table};
use crate::mapped::{
    MappedTableError, MappedTableProblem, MappedTarget, Patience, Scope, StatementTarget,
};
use crate::mapping::Mappings;
use crate::mirror_target::{
    Care, CatchUp, Commit, ConnectError, Part, Remade, Retry, Target, TargetError, Waiting,
    check_schema_name,
};
use crate::options::MirrorOptions;
use crate::schema;
use crate::sql::Statements;
use apply::Work;
use blocked::BlockedParts;
use isolating::Streaks;
pub(crate) use migrate::{Plan, Step};
pub(crate) use reader::TableReader;
use refused::EarlierTries;
use unit::CatchUpStep;

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
    /// As they were when they last fitted.
    application: Mutex<Option<Arc<Application>>>,
    /// The `private_metadata` columns that are mirrored.
    include_columns: Vec<String>,
    /// How far rows that the log no longer has are made again.
    remaking: Mutex<remake::Position>,
}

/// How a mirror is kept.
#[derive(Debug)]
pub(crate) struct MirrorSettings {
    options: MirrorOptions,
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
            options: options.clone(),
            schema: options.schema.clone(),
            destination: options.destination.clone(),
            mappings: Arc::new(Mappings::for_options(options)?),
            auto_migrate: options.auto_migrate,
            conflict_patience: options.conflict_patience,
            answer_within: options.answer_within,
        })
    }
}

impl MirrorSettings {
    /// These, with the columns that the mirror has although they are left out by default.
    async fn with_kept_columns(
        self,
        dialect: Dialect,
        session: &mut dyn Session,
    ) -> Result<Self, ConnectError> {
        let existing = kept::Existing { dialect, schema: &self.schema, mappings: &self.mappings };
        let kept = existing.kept(session).await?;
        if kept.is_empty() {
            return Ok(self);
        }
        tracing::warn!(
            destination = self.options.destination,
            columns = kept.join(", "),
            "the mirror keeps columns that are left out by default: name them in `include_columns` to keep them, or in `exclude_columns` to empty them"
        );
        let mut options = self.options;
        options.include_columns.extend(kept);
        Self::of(&options)
    }
}

impl Mirror {
    /// Opens the database, and makes the tables that are missing.
    pub(crate) async fn open(
        database: Arc<dyn Database>,
        settings: MirrorSettings,
    ) -> Result<Self, ConnectError> {
        let limit = settings.answer_within;
        let connecting = tokio::time::timeout(limit, database.connect());
        let mut session = connecting.await.map_err(|_| no_connection(limit))??;
        let settings = settings.with_kept_columns(database.dialect(), session.as_mut()).await?;
        let MirrorSettings { schema, destination, mappings, .. } = settings;
        let MirrorSettings { auto_migrate, conflict_patience, answer_within, .. } = settings;
        let statements = Statements::new(database.dialect(), &schema, &destination, &mappings);
        let mirror = Self {
            tables: schema::tables(&mappings),
            connection: Mutex::new(None),
            application: Mutex::new(None),
            include_columns: settings.options.include_columns,
            remaking: Mutex::default(),
            database: Arc::clone(&database),
            schema,
            destination,
            mappings,
            auto_migrate,
            patience: Patience { dialect: database.dialect(), lasts: conflict_patience },
            answer_within,
            statements,
        };
        let mut connected = mirror.set_up(session).await?;
        mirror.existing().forget_emptied(connected.session.as_mut()).await?;
        *mirror.connection.lock().await = Some(connected);
        Ok(mirror)
    }

    async fn connect(&self) -> Result<Connected, ConnectError> {
        self.set_up(self.database.connect().await?).await
    }

    async fn set_up(&self, session: Box<dyn Session>) -> Result<Connected, ConnectError> {
        let mut session = Limited::new(session, self.answer_within);
        let session_of = &mut session as &mut dyn Session;
        let plan = Plan::new(self.database.dialect(), &self.schema, &self.tables);
        plan.check(session_of).await?;
        // Before anything is changed in a database that may be the application's.
        match self.mapped_targets(session_of).await {
            Err(ConnectError::Mapped(_)) if self.application.lock().await.is_some() => {}
            found => drop(found?),
        }
        if self.auto_migrate {
            plan.migrate(session_of).await?;
        } else {
            plan.require_nothing(session_of).await?;
        }
        let application = self.known_application(session_of).await?;
        session_of.settle_in(&self.schema).await?;
        let destination = &self.destination;
        let blocked = BlockedParts::load(session_of, &self.statements, destination).await?;
        let session = Box::new(session);
        Ok(Connected { session, application, blocked, streaks: Streaks::default() })
    }

    /// The application's tables and statements. One that fits no more since the start is taken as it
    /// was, so that it alone is found to be blocked.
    async fn known_application(
        &self,
        session: &mut dyn Session,
    ) -> Result<Arc<Application>, ConnectError> {
        let found = self.application(session).await;
        let mut known = self.application.lock().await;
        match (found, &*known) {
            (Ok(found), _) => Ok(Arc::clone(known.insert(Arc::new(found)))),
            (Err(ConnectError::Mapped(_)), Some(known)) => Ok(Arc::clone(known)),
            (Err(error), _) => Err(error),
        }
    }

    /// The application's tables and statements, checked against the database as it is now.
    async fn application(&self, session: &mut dyn Session) -> Result<Application, ConnectError> {
        let tables = self.mapped_targets(session).await?;
        let scope = self.scope();
        let mut statements = Vec::new();
        for statement in self.mappings.statements() {
            let fit =
                |problem| MappedTableError { declared_at: statement.declared_at.clone(), problem };
            let target = StatementTarget::new(session, scope, Arc::clone(statement));
            statements.push(target.await?.map_err(fit)?);
        }
        Ok(Application { tables, statements })
    }

    /// Whose records of mapped tables and statements these are.
    fn scope(&self) -> Scope<'_> {
        let (schema, destination) = (self.schema.as_str(), self.destination.as_str());
        Scope { dialect: self.database.dialect(), schema, destination }
    }

    async fn mapped_targets(
        &self,
        session: &mut dyn Session,
    ) -> Result<Vec<MappedTarget>, ConnectError> {
        let scope = self.scope();
        let mut targets = Vec::new();
        for table in self.mappings.tables() {
            let fit =
                |problem| MappedTableError { declared_at: table.declared_at.clone(), problem };
            let live = session.describe(&table.into).await?;
            let no_table = || MappedTableProblem::NoTable { into: table.into.clone() };
            let live = live.ok_or_else(no_table).map_err(fit)?;
            let target = MappedTarget::new(scope, Arc::clone(table), &live);
            targets.push(target.map_err(fit)?);
        }
        MappedTarget::link(scope, &mut targets);
        Ok(targets)
    }

    /// The `private_metadata` columns that are mirrored, those that are kept among them.
    pub(crate) fn include_columns(&self) -> &[String] {
        &self.include_columns
    }

    /// A connection for one unit of work.
    async fn unit(&self) -> Result<Unit<'_>, TargetError> {
        let mut held = self.connection.lock().await;
        let connected = match held.take() {
            Some(connected) => connected,
            None => self.connect_within(self.answer_within).await?,
        };
        Ok(Unit { held, connected })
    }

    async fn connect_within(&self, limit: Duration) -> Result<Connected, TargetError> {
        let connecting = tokio::time::timeout(limit, self.connect()).await;
        connecting.unwrap_or_else(|_| Err(no_connection(limit))).map_err(|error| match error {
            ConnectError::Database(source) => TargetError::Unavailable(source),
            error => TargetError::Unusable(error),
        })
    }

    /// What a batch is applied with.
    fn work<'a>(
        &'a self,
        application: &'a Application,
        streaks: &'a mut Streaks,
        current: &'a Checkpoint,
        blocked: BlockedParts,
    ) -> Work<'a> {
        Work {
            statements: &self.statements,
            application,
            patience: self.patience,
            current,
            ran_up_to: current.statements,
            isolates: false,
            only: None,
            blocked,
            retries: false,
            streaks,
            earlier: EarlierTries::default(),
        }
    }
}

fn no_connection(limit: Duration) -> ConnectError {
    let message = format!("no connection within {} ms", limit.as_millis());
    let error = std::io::Error::new(std::io::ErrorKind::TimedOut, message);
    ConnectError::Database(BackendError::new(error))
}

/// A connection, and what was found there.
#[derive(Debug)]
struct Connected {
    session: Box<dyn Session>,
    application: Arc<Application>,
    /// What was blocked when it was last looked at; this mirror alone changes it.
    blocked: BlockedParts,
    streaks: Streaks,
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
        let mut unit = self.unit().await?;
        let sql = &self.statements.checkpoints;
        let found = checkpoints::read(unit.connected.session.as_mut(), sql, destination).await?;
        unit.keep();
        Ok(found)
    }

    async fn take_over(
        &self,
        current: Option<&Checkpoint>,
        next: &Checkpoint,
    ) -> Result<Commit, TargetError> {
        let mut unit = self.unit().await?;
        let commit = self.begin_at(&mut unit.connected, current, next).await?;
        *self.remaking.lock().await = remake::Position::Unknown;
        unit.keep();
        Ok(commit)
    }

    async fn apply(
        &self,
        batch: &Batch,
        current: &Checkpoint,
        next: &Checkpoint,
        care: Care,
    ) -> Result<Commit, TargetError> {
        let mut unit = self.unit().await?;
        let commit = match care {
            Care::Whole => self.apply_whole(&mut unit.connected, batch, current, next).await?,
            Care::Isolate | Care::IsolateWithin(_) => {
                let budget = care.budget();
                self.apply_isolated(&mut unit.connected, batch, current, next, budget).await?
            }
        };
        unit.keep();
        Ok(commit)
    }

    async fn reads_behind(&self, destination: &str, log_id: LogId) -> Result<Seq, TargetError> {
        let mut unit = self.unit().await?;
        let session = unit.connected.session.as_mut();
        let found = checkpoints::read(session, &self.statements.checkpoints, destination).await?;
        let blocked = BlockedParts::load(session, &self.statements, destination).await?;
        unit.keep();
        let ours = found.into_iter().find(|checkpoint| checkpoint.log_id == log_id);
        let seq = ours.map_or(Seq::ZERO, |checkpoint| checkpoint.seq);
        let of_blocked = blocked.into_parts().into_iter().map(|blocked| blocked.seq);
        Ok(of_blocked.fold(seq, Seq::min))
    }

    async fn waiting(&self, destination: &str) -> Result<Waiting, TargetError> {
        let mut unit = self.unit().await?;
        let Connected { session, application, .. } = &mut unit.connected;
        let (session, tables) = (session.as_mut(), &application.tables);
        let waiting = retry::waiting(session, &self.statements, tables, destination).await?;
        unit.keep();
        Ok(waiting)
    }

    async fn retry(&self, retry: &Retry, current: &Checkpoint) -> Result<Commit, TargetError> {
        let mut unit = self.unit().await?;
        let commit = self.retry_isolated(&mut unit.connected, retry, current).await?;
        unit.keep();
        Ok(commit)
    }

    async fn catch_up(
        &self,
        part: &Part,
        batch: &Batch,
        seq: Seq,
        current: &Checkpoint,
        care: Care,
    ) -> Result<CatchUp, TargetError> {
        let mut unit = self.unit().await?;
        let step = CatchUpStep { part, batch, seq, current, budget: care.budget() };
        let done = self.catch_up_part(&mut unit.connected, step).await?;
        unit.keep();
        Ok(done)
    }

    async fn remake(&self, current: &Checkpoint) -> Result<Option<Remade>, TargetError> {
        let mut position = self.remaking.lock().await;
        if let Some(rest) = position.rest() {
            return Ok(Some(Remade { rows_written: 0, rest }));
        }
        let mut unit = self.unit().await?;
        let done = self.remake_part(&mut unit.connected, current, &position).await?;
        unit.keep();
        Ok(done.map(|(next, remade)| {
            *position = next;
            remade
        }))
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
