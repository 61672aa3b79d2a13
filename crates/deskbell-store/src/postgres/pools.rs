//! The pools of a store, and units of work on their connections, with or without a pooler.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use super::PostgresConnector;
use super::pool::{LastFailure, Pool};
use super::pooled_connection::PooledConnection;
use super::pooler::Route;

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
pub(crate) struct Pools {
    route: Route,
    appending: Arc<Pool>,
    others: Arc<Pool>,
    last_failure: Arc<LastFailure>,
    connector: PostgresConnector,
}

impl Pools {
    pub(super) fn new(connector: &PostgresConnector, route: Route, connections_max: u32) -> Self {
        let connector = connector.clone().map_options(|options| match route {
            Route::Direct => options
                .statement_cache_capacity(STATEMENTS_MAX)
                .options([("default_transaction_isolation", "read committed")]),
            Route::Pooled => options.statement_cache_capacity(0),
        });
        let last_failure = Arc::new(LastFailure::default());
        let pool = |count| Pool::new(&connector, count, &last_failure);
        Self {
            route,
            appending: pool(APPENDING),
            others: pool(connections_max - APPENDING - LISTENING),
            last_failure,
            connector,
        }
    }

    /// A connection for one statement, which is a transaction by itself. It is one round trip,
    /// where no pooler is in between.
    pub(crate) async fn statement(&self) -> Result<UnitOfWork<'_>, sqlx::Error> {
        self.begin(&self.others, self.route == Route::Pooled).await
    }

    /// A connection with a transaction, for several statements.
    pub(crate) async fn transaction(&self) -> Result<UnitOfWork<'_>, sqlx::Error> {
        self.begin(&self.others, true).await
    }

    /// A connection for the statement that appends: nothing else is in its way.
    pub(super) async fn append(&self) -> Result<UnitOfWork<'_>, sqlx::Error> {
        self.begin(&self.appending, self.route == Route::Pooled).await
    }

    async fn begin(
        &self,
        pool: &Arc<Pool>,
        transaction: bool,
    ) -> Result<UnitOfWork<'_>, sqlx::Error> {
        let connection = PooledConnection::open(pool, self.route)
            .await
            .inspect_err(|error| self.note_failure(error))?;
        let mut work = UnitOfWork { connection, pools: self, transaction };
        if transaction {
            let begun = sqlx::raw_sql(BEGIN).execute(work.connection()).await;
            begun.inspect_err(|error| self.note_failure(error))?;
        }
        Ok(work)
    }

    fn note_failure(&self, error: &sqlx::Error) {
        if matches!(error, sqlx::Error::Io(_) | sqlx::Error::Protocol(_)) || is_shutdown(error) {
            self.last_failure.record();
        }
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

/// A connection for one unit of work. If it is dropped without [`UnitOfWork::finish`], the connection
/// is closed, and its transaction rolled back.
pub(crate) struct UnitOfWork<'a> {
    connection: PooledConnection,
    pools: &'a Pools,
    transaction: bool,
}

impl UnitOfWork<'_> {
    pub(crate) fn connection(&mut self) -> &mut PooledConnection {
        &mut self.connection
    }

    /// Commits if the work succeeded, and passes its outcome on.
    pub(crate) async fn finish<T>(
        mut self,
        outcome: Result<T, sqlx::Error>,
    ) -> Result<T, sqlx::Error> {
        let outcome = match outcome {
            Ok(value) if self.transaction => {
                sqlx::raw_sql("COMMIT").execute(self.connection()).await.map(|_| value)
            }
            outcome => outcome,
        };
        match outcome {
            Ok(value) => {
                self.connection.put_back();
                Ok(value)
            }
            Err(error) => {
                // An error that the server answered leaves a connection without a transaction usable.
                if !self.transaction && error.as_database_error().is_some() {
                    self.connection.put_back();
                }
                self.pools.note_failure(&error);
                Err(error)
            }
        }
    }
}

impl fmt::Debug for Pools {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pools").field("route", &self.route).finish_non_exhaustive()
    }
}
