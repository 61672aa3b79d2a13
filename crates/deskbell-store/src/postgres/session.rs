//! A connection that is ours for a while, as what a query is run on.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream, StreamExt};
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArguments, PgQueryResult, PgRow, PgStatement, PgTypeInfo, Postgres};
use sqlx::{Either, Execute, Executor, SqlStr};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;

use super::pool::{Held, Pool};
use super::pooler::Route;

/// How long the server may say nothing at all. Then it counts as gone: a connection that somebody
/// in between has forgotten would leave us waiting for a quarter of an hour.
const SILENCE_MAX: Duration = Duration::from_secs(10);

/// Like the driver's connection, with two differences. No statement is given a name behind a
/// pooler: the connection of the server's on which it would stay is somebody else's next. And a
/// server that has gone silent is given up.
///
/// One that is not kept is closed when it is dropped.
pub(crate) struct Session {
    held: Held,
    pool: Arc<Pool>,
    route: Route,
    /// Let go of after the connection.
    _permit: OwnedSemaphorePermit,
}

impl Session {
    pub(super) async fn open(pool: &Arc<Pool>, route: Route) -> Result<Self, sqlx::Error> {
        let (held, permit) = pool.acquire().await?;
        Ok(Self { held, pool: Arc::clone(pool), route, _permit: permit })
    }

    /// All that was begun has ended: somebody else may go on with the connection.
    pub(super) fn keep(self) {
        self.pool.put_back(self.held);
    }

    fn is_named(&self) -> bool {
        self.route == Route::Direct
    }
}

impl<'c> Executor<'c> for &'c mut Session {
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
        until_silent(self.held.connection().fetch_many(MaybeNamed { query, named }))
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
        let fetching = self.held.connection().fetch_optional(MaybeNamed { query, named });
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
        self.held.connection().prepare_with(sql, parameters)
    }
}

/// The same, and an error where nothing comes for too long.
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

/// That the server has said nothing for so long.
pub(super) fn silent(time: Duration) -> sqlx::Error {
    let text = format!("the server did not answer for {} seconds", time.as_secs());
    sqlx::Error::Io(io::Error::new(io::ErrorKind::TimedOut, text))
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

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("route", &self.route).finish_non_exhaustive()
    }
}
