//! A session that does not wait for ever: each call has a limit, and isolation has a budget.

use std::time::{Duration, Instant};

use async_trait::async_trait;

use super::bulk::Bulk;
use super::error::DatabaseError;
use super::limits::Limits;
use super::live_table::LiveTable;
use super::parameter::{Cell, Param, Sql};
use super::session::{DbSession, Inventory};
use crate::value::{Kind, Value};

/// Wraps a driver's session. The server's own limits are shorter, so that it answers first and the
/// connection stays; what does not answer at all counts as away.
#[derive(Debug)]
pub(crate) struct LimitedSession {
    session: Box<dyn DbSession>,
    answer_within: Duration,
    /// Off for work that may take as long as it needs.
    limit: Option<Duration>,
    /// When no further unit of work is begun.
    budget_ends: Option<Instant>,
}

impl LimitedSession {
    pub(crate) fn new(session: Box<dyn DbSession>, answer_within: Duration) -> Self {
        Self { session, answer_within, limit: Some(answer_within), budget_ends: None }
    }

    async fn wait<T>(
        limit: Option<Duration>,
        call: impl Future<Output = Result<T, DatabaseError>>,
    ) -> Result<T, DatabaseError> {
        let Some(limit) = limit else { return call.await };
        tokio::time::timeout(limit, call).await.unwrap_or_else(|_| {
            let message = format!("the database did not answer within {} ms", limit.as_millis());
            let error = std::io::Error::new(std::io::ErrorKind::TimedOut, message);
            Err(DatabaseError::Away(error.into()))
        })
    }

    /// A transaction has ended: what follows is within the usual limit.
    fn ended<T>(&mut self, done: T) -> T {
        self.limit = Some(self.answer_within);
        self.budget_ends = None;
        done
    }
}

#[async_trait]
impl DbSession for LimitedSession {
    async fn begin(&mut self, schema: &str, limits: Limits) -> Result<(), DatabaseError> {
        self.limit = limits.answer();
        self.budget_ends = match limits {
            Limits::Isolating { budget: Some(budget), .. } => Some(Instant::now() + budget),
            _ => None,
        };
        let limit = self.limit.map(|limit| limit.min(self.answer_within));
        Self::wait(limit, self.session.begin(schema, limits)).await
    }

    async fn begin_to_read(&mut self) -> Result<(), DatabaseError> {
        Self::wait(self.limit, self.session.begin_to_read()).await
    }

    async fn commit(&mut self) -> Result<(), DatabaseError> {
        let done = Self::wait(self.limit, self.session.commit()).await;
        self.ended(done)
    }

    async fn rollback(&mut self) -> Result<(), DatabaseError> {
        let done = Self::wait(self.limit, self.session.rollback()).await;
        self.ended(done)
    }

    async fn begin_unit(&mut self) -> Result<(), DatabaseError> {
        if self.budget_ends.is_some_and(|ends| ends <= Instant::now()) {
            return Err(DatabaseError::OverBudget);
        }
        Self::wait(self.limit, self.session.begin_unit()).await
    }

    async fn keep_unit(&mut self) -> Result<(), DatabaseError> {
        Self::wait(self.limit, self.session.keep_unit()).await
    }

    async fn undo_unit(&mut self) -> Result<(), DatabaseError> {
        Self::wait(self.limit, self.session.undo_unit()).await
    }

    fn isolates(&self) -> bool {
        self.session.isolates()
    }

    fn commits_units(&self) -> bool {
        self.session.commits_units()
    }

    async fn execute(&mut self, sql: &Sql, parameters: &[Param<'_>]) -> Result<u64, DatabaseError> {
        Self::wait(self.limit, self.session.execute(sql, parameters)).await
    }

    async fn fetch(
        &mut self,
        sql: &Sql,
        parameters: &[Param<'_>],
        kinds: &[Kind],
    ) -> Result<Vec<Vec<Value>>, DatabaseError> {
        Self::wait(self.limit, self.session.fetch(sql, parameters, kinds)).await
    }

    async fn bulk(&mut self, bulk: &Bulk, rows: &[Vec<Cell<'_>>]) -> Result<u64, DatabaseError> {
        Self::wait(self.limit, self.session.bulk(bulk, rows)).await
    }

    async fn probe(&mut self, bulk: &Bulk) -> Result<(), DatabaseError> {
        Self::wait(self.limit, self.session.probe(bulk)).await
    }

    async fn explain(&mut self, sql: &Sql, parameters: usize) -> Result<(), DatabaseError> {
        Self::wait(self.limit, self.session.explain(sql, parameters)).await
    }

    async fn inventory(
        &mut self,
        schema: &str,
        tables: &[String],
    ) -> Result<Inventory, DatabaseError> {
        Self::wait(self.limit, self.session.inventory(schema, tables)).await
    }

    async fn describe(&mut self, table: &str) -> Result<Option<LiveTable>, DatabaseError> {
        Self::wait(self.limit, self.session.describe(table)).await
    }

    async fn parameter_types(&mut self, sql: &Sql) -> Result<Vec<String>, DatabaseError> {
        Self::wait(self.limit, self.session.parameter_types(sql)).await
    }

    async fn configure_session(&mut self, schema: &str) -> Result<(), DatabaseError> {
        Self::wait(self.limit, self.session.configure_session(schema)).await
    }

    async fn close(self: Box<Self>) -> Result<(), DatabaseError> {
        self.session.close().await
    }
}
