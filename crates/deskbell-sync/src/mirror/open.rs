//! A mirror and its one writing connection.

use std::sync::Arc;
use std::time::Duration;

use deskbell_store::BackendError;
use tokio::sync::Mutex;

use super::application::Application;
use super::blocked::BlockedParts;
use super::connection::{OpenConnection, UnitOfWork};
use super::existing_columns::ExistingColumns;
use super::migrate::MigrationPlan;
use super::remake_position::RemakePosition;
use super::streak::Streaks;
use crate::config::DatabaseConfig;
use crate::db::{DatabaseError, DbSession, LimitedSession, MirrorDatabase, Table};
use crate::mapped::{ConflictTimeout, MappedTableError};
use crate::mapping::Mappings;
use crate::mirror_target::{ConnectError, Part, TargetError, check_schema_name, database};
use crate::options::MirrorOptions;
use crate::schema;
use crate::sql::Statements;

/// A mirror in one schema of one database.
#[derive(Debug)]
pub(crate) struct Mirror {
    pub(super) database: Arc<dyn MirrorDatabase>,
    pub(super) schema: String,
    pub(super) destination: String,
    pub(super) mappings: Arc<Mappings>,
    pub(super) tables: Vec<Table>,
    pub(super) auto_migrate: bool,
    pub(super) timeout: ConflictTimeout,
    pub(super) answer_within: Duration,
    pub(super) statements: Statements,
    /// `None` after a failure, until the next unit of work opens another one.
    pub(super) connection: Mutex<Option<OpenConnection>>,
    /// The application's tables and statements, as they were when they last fitted.
    pub(super) known: Mutex<Option<Arc<Application>>>,
    /// The `private_metadata` columns that are mirrored.
    pub(super) include_columns: Vec<String>,
    /// How far rows that the log no longer has are made again.
    pub(super) remaking: Mutex<RemakePosition>,
}

impl Mirror {
    /// Opens the database, and makes the tables that are missing.
    pub(crate) async fn open(options: &MirrorOptions) -> Result<Self, ConnectError> {
        let (mappings, database) = declared(&options.database)?;
        let session = within(options.answer_within, database.connect()).await?;
        let (mirror, session) = Self::prepare(options, mappings, database, session).await?;
        let mut connected = mirror.set_up(session).await?;
        mirror.existing().forget_emptied(connected.session.as_mut()).await?;
        *mirror.connection.lock().await = Some(connected);
        Ok(mirror)
    }

    /// Checks what is in the database against the config, and changes nothing; returns what of the
    /// application's does not fit.
    pub(crate) async fn check(
        options: &MirrorOptions,
    ) -> Result<Vec<MappedTableError>, ConnectError> {
        let config = &options.database;
        let (mappings, database) = declared(config)?;
        if database.is_absent() && config.tables.is_empty() && config.statements.is_empty() {
            return Ok(Vec::new());
        }
        let session = within(options.answer_within, database.connect_to_read()).await?;
        let (mirror, session) = Self::prepare(options, mappings, database, session).await?;
        let mut session = LimitedSession::new(session, mirror.answer_within);
        mirror.plan().check(&mut session).await?;
        let unfit = mirror.application(&mut session).await?.unfit;
        Ok(unfit.into_iter().map(|unfit| unfit.error).collect())
    }

    /// The mirror before anything of it is looked at but the columns that it has.
    async fn prepare(
        options: &MirrorOptions,
        mut mappings: Mappings,
        database: Arc<dyn MirrorDatabase>,
        mut session: Box<dyn DbSession>,
    ) -> Result<(Self, Box<dyn DbSession>), ConnectError> {
        let MirrorOptions { database: mut config, destination, .. } = options.clone();
        let dialect = database.dialect();
        let existing = ExistingColumns { dialect, schema: &config.schema, mappings: &mappings };
        let kept = existing.kept_columns(session.as_mut()).await?;
        if !kept.is_empty() {
            warn_of_kept(&destination, &kept);
            config.include_columns.extend(kept);
            mappings = Mappings::for_config(&config)?;
        }
        let DatabaseConfig { schema, include_columns, auto_migrate, conflict_patience, .. } =
            config;
        let mirror = Self {
            statements: Statements::new(dialect, &schema, &destination, &mappings),
            tables: schema::tables(&mappings),
            connection: Mutex::new(None),
            known: Mutex::new(None),
            include_columns,
            remaking: Mutex::default(),
            database,
            schema,
            destination,
            mappings: Arc::new(mappings),
            auto_migrate,
            timeout: ConflictTimeout { dialect, after: conflict_patience.0 },
            answer_within: options.answer_within,
        };
        Ok((mirror, session))
    }

    fn plan(&self) -> MigrationPlan<'_> {
        MigrationPlan::new(self.database.dialect(), &self.schema, &self.tables)
    }

    async fn connect(&self) -> Result<OpenConnection, ConnectError> {
        self.set_up(self.database.connect().await?).await
    }

    async fn set_up(&self, session: Box<dyn DbSession>) -> Result<OpenConnection, ConnectError> {
        let mut session = LimitedSession::new(session, self.answer_within);
        let session_of = &mut session as &mut dyn DbSession;
        let plan = self.plan();
        plan.check(session_of).await?;
        if self.auto_migrate {
            plan.migrate(session_of).await?;
        } else {
            plan.require_nothing(session_of).await?;
        }
        let application = self.known_application(session_of).await?;
        session_of.configure_session(&self.schema).await?;
        let destination = &self.destination;
        let blocked = BlockedParts::load(session_of, &self.statements, destination).await?;
        let session = Box::new(session);
        Ok(OpenConnection { session, application, blocked, streaks: Streaks::default() })
    }

    /// The `private_metadata` columns that are mirrored, those that are kept among them.
    pub(crate) fn include_columns(&self) -> &[String] {
        &self.include_columns
    }

    /// Looks again at what the application has, where this part did not fit.
    pub(super) async fn refit(&self, part: &Part) {
        let mut held = self.connection.lock().await;
        if held.as_ref().is_some_and(|connected| connected.application.is_unfit(part))
            && let Some(connected) = held.take()
            && let Err(error) = connected.session.close().await
        {
            let error = &error.into_backend() as &dyn std::error::Error;
            tracing::debug!(error, "failed to close a connection cleanly");
        }
    }

    /// A connection for one unit of work.
    pub(super) async fn unit(&self) -> Result<UnitOfWork<'_>, TargetError> {
        let mut held = self.connection.lock().await;
        let connected = match held.take() {
            Some(connected) => connected,
            None => self.connect_within(self.answer_within).await?,
        };
        Ok(UnitOfWork { held, connected })
    }

    async fn connect_within(&self, limit: Duration) -> Result<OpenConnection, TargetError> {
        let connecting = tokio::time::timeout(limit, self.connect()).await;
        connecting.unwrap_or_else(|_| Err(no_connection(limit))).map_err(|error| match error {
            ConnectError::Database(source) => TargetError::Unavailable(source),
            error => TargetError::Unusable(error),
        })
    }
}

/// What the config declares, before its database is looked for: a mistake leaves no file behind.
fn declared(config: &DatabaseConfig) -> Result<(Mappings, Arc<dyn MirrorDatabase>), ConnectError> {
    check_schema_name(&config.schema)?;
    Ok((Mappings::for_config(config)?, database(&config.url)?))
}

async fn within<T>(
    limit: Duration,
    connecting: impl Future<Output = Result<T, DatabaseError>>,
) -> Result<T, ConnectError> {
    let connected = tokio::time::timeout(limit, connecting).await;
    Ok(connected.map_err(|_| no_connection(limit))??)
}

fn no_connection(limit: Duration) -> ConnectError {
    let message = format!("no connection within {} ms", limit.as_millis());
    let error = std::io::Error::new(std::io::ErrorKind::TimedOut, message);
    ConnectError::Database(BackendError::new(error))
}

fn warn_of_kept(destination: &str, columns: &[String]) {
    tracing::warn!(
        destination,
        columns = columns.join(", "),
        "the mirror keeps columns that are excluded by default; add them to `include_columns` to \
         keep them, or to `exclude_columns` to clear them"
    );
}
