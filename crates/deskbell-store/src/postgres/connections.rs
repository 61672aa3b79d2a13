//! The connections, and how a statement is run on them, with or without a pooler in between.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use super::PostgresConnector;
use super::pool::{Pool, Suspicion};
use super::pooler::Route;
use super::session::Session;
use crate::StoreError;

/// Connections that append: while one commits, the next batch is on its way.
const APPENDING: u32 = 2;
/// The one that listens; see `wake`.
const LISTENING: u32 = 1;
/// How long the server may take to say goodbye.
const CLOSE_MAX: Duration = Duration::from_secs(5);
/// What each has prepared at most.
const STATEMENTS_MAX: usize = 100;

/// READ COMMITTED, whatever the role's default: each statement sees what others have committed. A
/// replica that is cut off or halted in the middle holds the others up no longer than the limits
/// say. No state of the session, so that it works behind a pooler.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;
    SET LOCAL lock_timeout = '3s';
    SET LOCAL idle_in_transaction_session_timeout = '5s'";

/// Every connection of this process but the one that listens.
pub(crate) struct Connections {
    route: Route,
    appending: Arc<Pool>,
    others: Arc<Pool>,
    suspicion: Arc<Suspicion>,
    connector: PostgresConnector,
}

impl Connections {
    pub(super) fn new(connector: &PostgresConnector, route: Route, connections_max: u32) -> Self {
        let connector = connector.clone().map_options(|options| match route {
            Route::Direct => options
                .statement_cache_capacity(STATEMENTS_MAX)
                .options([("default_transaction_isolation", "read committed")]),
            Route::Pooled => options.statement_cache_capacity(0),
        });
        let suspicion = Arc::new(Suspicion::default());
        let pool = |count| Pool::new(&connector, count, &suspicion);
        Self {
            route,
            appending: pool(APPENDING),
            others: pool(connections_max - APPENDING - LISTENING),
            suspicion,
            connector,
        }
    }

    /// A connection for one statement, which is a transaction by itself. It is one round trip,
    /// where no pooler is in between.
    pub(crate) async fn statement(&self) -> Result<Work<'_>, StoreError> {
        self.work(&self.others, self.route == Route::Pooled).await
    }

    /// A connection with a transaction, for several statements.
    pub(crate) async fn transaction(&self) -> Result<Work<'_>, StoreError> {
        self.work(&self.others, true).await
    }

    /// A connection for the statement that appends: nothing else is in its way.
    pub(super) async fn append(&self) -> Result<Work<'_>, StoreError> {
        self.work(&self.appending, self.route == Route::Pooled).await
    }

    async fn work(&self, pool: &Arc<Pool>, transaction: bool) -> Result<Work<'_>, StoreError> {
        let session = Session::open(pool, self.route).await.map_err(|error| self.failed(error))?;
        let mut work = Work { session, connections: self, transaction };
        if transaction {
            let begun = sqlx::raw_sql(BEGIN).execute(work.connection()).await;
            begun.map_err(|error| self.failed(error))?;
        }
        Ok(work)
    }

    fn failed(&self, error: sqlx::Error) -> StoreError {
        if matches!(error, sqlx::Error::Io(_) | sqlx::Error::Protocol(_)) || is_shutdown(&error) {
            self.suspicion.raise();
        }
        error.into()
    }

    pub(super) async fn close(&self) {
        let closing = async {
            tokio::join!(self.appending.close(), self.others.close());
            self.connector.ended().await;
        };
        // What was done is committed. A server that has gone silent says no goodbye either.
        let _ = timeout(CLOSE_MAX, closing).await;
    }
}

/// The server ends the connection: class 57, "operator intervention".
fn is_shutdown(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    code.is_some_and(|code| code.starts_with("57P"))
}

/// A connection for one piece of work. One that is not brought to its end with [`Work::done`] is
/// closed, and with it a transaction is rolled back.
pub(crate) struct Work<'a> {
    session: Session,
    connections: &'a Connections,
    transaction: bool,
}

impl Work<'_> {
    pub(crate) fn connection(&mut self) -> &mut Session {
        &mut self.session
    }

    /// Commits where the work went well, and hands its outcome on.
    pub(crate) async fn done<T>(
        mut self,
        outcome: Result<T, sqlx::Error>,
    ) -> Result<T, StoreError> {
        let outcome = match outcome {
            Ok(value) if self.transaction => {
                sqlx::raw_sql("COMMIT").execute(self.connection()).await.map(|_| value)
            }
            outcome => outcome,
        };
        match outcome {
            Ok(value) => {
                self.session.keep();
                Ok(value)
            }
            Err(error) => {
                // What the server has answered by itself leaves a bare connection as it was.
                if !self.transaction && error.as_database_error().is_some() {
                    self.session.keep();
                }
                Err(self.connections.failed(error))
            }
        }
    }
}

impl fmt::Debug for Connections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connections").field("route", &self.route).finish_non_exhaustive()
    }
}
