//! A connection of the pool, which queries are run on.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream, StreamExt};
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArguments, PgQueryResult, PgRow, PgStatement, PgTypeInfo, Postgres};
use sqlx::{Either, Execute, Executor, SqlStr};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;

use super::pool::{Pool, TrackedConnection};
use super::pooler::Route;
use super::silence::silent;

/// How long the server may not answer at all before it counts as gone: a connection that something
/// in between has forgotten would leave us waiting for a quarter of an hour.
const SILENCE_MAX: Duration = Duration::from_secs(10);

/// Like the driver's connection, with two differences. Behind a pooler no statement gets a name: the
/// server's connection that it would stay on is somebody else's next. And a server that has gone
/// silent is an error.
///
/// A connection that is not put back is closed when it is dropped.
pub(crate) struct PooledConnection {
    connection: TrackedConnection,
    pool: Arc<Pool>,
    route: Route,
    /// Released after the connection.
    _permit: OwnedSemaphorePermit,
}

impl PooledConnection {
    pub(super) async fn open(pool: &Arc<Pool>, route: Route) -> Result<Self, sqlx::Error> {
        let (connection, permit) = pool.acquire().await?;
        Ok(Self { connection, pool: Arc::clone(pool), route, _permit: permit })
    }

    /// Nothing is in progress on the connection: somebody else may use it.
    pub(super) fn put_back(self) {
        self.pool.put_back(self.connection);
    }

    fn is_named(&self) -> bool {
        self.route == Route::Direct
    }
}

impl<'c> Executor<'c> for &'c mut PooledConnection {
    type Database = Postgres;

    fn fetch_many<'e, 'q: 'e, E>(
        self,
        query: E,
    ) -> BoxStream<'e, Result<Either<PgQueryResult, PgRow>, sqlx::Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        let named = self.is_named();
        until_silent(self.connection.get().fetch_many(MaybeNamed { query, named }))
    }

    fn fetch_optional<'e, 'q: 'e, E>(
        self,
        query: E,
    ) -> BoxFuture<'e, Result<Option<PgRow>, sqlx::Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        let named = self.is_named();
        let fetching = self.connection.get().fetch_optional(MaybeNamed { query, named });
        Box::pin(async {
            timeout(SILENCE_MAX, fetching).await.unwrap_or_else(|_| Err(silent(SILENCE_MAX)))
        })
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [PgTypeInfo],
    ) -> BoxFuture<'e, Result<PgStatement, sqlx::Error>>
    where
        'c: 'e,
    {
        self.connection.get().prepare_with(sql, parameters)
    }
}

/// The same rows, and an error if none comes for too long.
fn until_silent<'e, T: Send + 'e>(
    rows: BoxStream<'e, Result<T, sqlx::Error>>,
) -> BoxStream<'e, Result<T, sqlx::Error>> {
    Box::pin(stream::unfold(Some(rows), |rows| async {
        let mut rows = rows?;
        match timeout(SILENCE_MAX, rows.next()).await {
            Ok(row) => row.map(|row| (row, Some(rows))),
            Err(_) => Some((Err(silent(SILENCE_MAX)), None)),
        }
    }))
}

/// A query that is prepared under a name only where it says so and it may.
struct MaybeNamed<E> {
    query: E,
    named: bool,
}

impl<'q, E: Execute<'q, Postgres>> Execute<'q, Postgres> for MaybeNamed<E> {
    fn sql(self) -> SqlStr {
        self.query.sql()
    }

    fn statement(&self) -> Option<&PgStatement> {
        self.query.statement()
    }

    fn take_arguments(&mut self) -> Result<Option<PgArguments>, BoxDynError> {
        self.query.take_arguments()
    }

    fn persistent(&self) -> bool {
        self.named && self.query.persistent()
    }
}

impl fmt::Debug for PooledConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PooledConnection").field("route", &self.route).finish_non_exhaustive()
    }
}
