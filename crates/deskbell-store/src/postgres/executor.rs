//! Queries on the pools: each is a unit of work of its own.

use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream, TryStreamExt};
use sqlx::postgres::{PgQueryResult, PgRow, PgStatement, PgTypeInfo, Postgres};
use sqlx::{Either, Execute, Executor, SqlStr};

use super::pools::Pools;

impl<'p> Executor<'p> for &'p Pools {
    type Database = Postgres;

    fn fetch_many<'e, 'q: 'e, E>(
        self,
        query: E,
    ) -> BoxStream<'e, Result<Either<PgQueryResult, PgRow>, sqlx::Error>>
    where
        'p: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        let rows = async move {
            let mut work = self.statement().await?;
            let rows = work.connection().fetch_many(query).try_collect::<Vec<_>>().await;
            work.finish(rows).await
        };
        Box::pin(
            stream::once(rows).map_ok(|rows| stream::iter(rows.into_iter().map(Ok))).try_flatten(),
        )
    }

    fn fetch_optional<'e, 'q: 'e, E>(
        self,
        query: E,
    ) -> BoxFuture<'e, Result<Option<PgRow>, sqlx::Error>>
    where
        'p: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        Box::pin(async move {
            let mut work = self.statement().await?;
            let row = work.connection().fetch_optional(query).await;
            work.finish(row).await
        })
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [PgTypeInfo],
    ) -> BoxFuture<'e, Result<PgStatement, sqlx::Error>>
    where
        'p: 'e,
    {
        Box::pin(async move {
            let mut work = self.statement().await?;
            let statement = work.connection().prepare_with(sql, parameters).await;
            work.finish(statement).await
        })
    }
}
