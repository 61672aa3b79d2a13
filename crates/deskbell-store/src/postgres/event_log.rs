//! The log: appending to it and reading it.

use std::time::Duration;

use async_trait::async_trait;
use sqlx::Row;
use tokio::sync::watch;

use super::append::{AppendOptions, AppendedBatch, append, text};
use super::check;
use super::store::PostgresStore;
use super::wake;
use crate::rows::{Sources, event};
use crate::subject_index::UNINDEXED_MAX;
use crate::{
    Appended, BatchGrowth, EventLog, LogId, NewEvent, ReadLimit, Seq, StoreError, StoredEvent,
    SubjectEvents,
};

/// The limit of bytes is the database's to keep: it knows how long a payload is without fetching
/// it, and what it has begun to send cannot be stopped.
const EVENTS: &str = "
    SELECT seq, received_at_ms, source, message_id, type, subject, occurred_at_ms, instance_id,
           payload, origin, payload_bytes
    FROM (
        SELECT page.*,
               sum(bytes) OVER (ORDER BY seq ROWS UNBOUNDED PRECEDING) - bytes AS bytes_before
        FROM (
            SELECT e.*, deskbell.length_v1(payload, payload_bytes) AS bytes
            FROM deskbell.events e WHERE seq > $1 ORDER BY seq LIMIT $2
        ) AS page
    ) AS counted
    WHERE bytes_before < $3 ORDER BY seq";

const FIND: &str = "SELECT seq, received_at_ms, source, message_id, type, subject, occurred_at_ms,
            instance_id, payload, origin, payload_bytes
     FROM deskbell.events WHERE source = $1 AND message_id = $2";

/// The columns of an event, and where to go on.
const ABOUT: &str = "SELECT * FROM deskbell.about_v3($1, $2, $3, $4, $5)";

#[async_trait]
impl EventLog for PostgresStore {
    fn log_id(&self) -> LogId {
        self.log_id
    }

    async fn append(&self, batch: &[NewEvent]) -> Result<Vec<Appended>, StoreError> {
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        let mut work = self.pools.append().await?;
        let options = AppendOptions {
            manual_ms: self.clock.manual_ms(),
            user_refs_of: self.indexes_user_refs.then_some(self.log_id),
            packs: self.replica.packs(),
        };
        let appended = append(work.connection(), batch, options).await;
        let AppendedBatch { events: appended, waited } = work.finish(appended).await?;
        self.replica.contention.note(waited);
        let head = appended.iter().map(|one| one.seq()).max().unwrap_or_default();
        self.wake.appended(head);
        Ok(appended)
    }

    fn batch_growth(&self) -> BatchGrowth {
        match self.replica.contention.expected() {
            // Its server would have nothing to do meanwhile.
            Duration::ZERO => BatchGrowth::None,
            others => BatchGrowth::For(others),
        }
    }

    async fn read(&self, after: Seq, limit: ReadLimit) -> Result<Vec<StoredEvent>, StoreError> {
        let rows = sqlx::query(EVENTS)
            .bind(after.get())
            .bind(i64::from(limit.events_max.max(1)))
            .bind(bytes_max(limit))
            .fetch_all(&*self.pools)
            .await?;
        let mut sources = Sources::default();
        Ok(rows.iter().map(|row| event(row, &mut sources)).collect::<Result<_, _>>()?)
    }

    async fn message_id_at(&self, seq: Seq) -> Result<Option<String>, StoreError> {
        let find = sqlx::query_scalar("SELECT message_id FROM deskbell.events WHERE seq = $1");
        Ok(find.bind(seq.get()).fetch_optional(&*self.pools).await?)
    }

    async fn find(
        &self,
        source: &str,
        message_id: &str,
    ) -> Result<Option<StoredEvent>, StoreError> {
        let find = sqlx::query(FIND).bind(text(source)).bind(text(message_id));
        let row = find.fetch_optional(&*self.pools).await?;
        Ok(row.as_ref().map(|row| event(row, &mut Sources::default())).transpose()?)
    }

    async fn events_by_subject(
        &self,
        subject: &str,
        before: Option<Seq>,
        limit: ReadLimit,
    ) -> Result<SubjectEvents, StoreError> {
        let rows = sqlx::query(ABOUT)
            .bind(text(subject))
            .bind(before.map(Seq::get))
            .bind(i64::from(limit.events_max.max(1)))
            .bind(bytes_max(limit))
            .bind(UNINDEXED_MAX)
            .fetch_all(&*self.pools)
            .await?;
        let mut sources = Sources::default();
        let mut page = SubjectEvents { events: Vec::new(), older: None };
        for row in &rows {
            if row.try_get::<Option<i64>, _>(0)?.is_some() {
                page.events.push(event(row, &mut sources)?);
            }
            page.older = row.try_get::<Option<i64>, _>(11)?.map(Seq::new);
        }
        Ok(page)
    }

    async fn head(&self) -> Result<Seq, StoreError> {
        Ok(wake::head(&self.pools).await?)
    }

    async fn first_received_since(&self, at_ms: i64) -> Result<Seq, StoreError> {
        let first = sqlx::query_scalar("SELECT deskbell.first_received_since_v1($1)").bind(at_ms);
        Ok(Seq::new(first.fetch_one(&*self.pools).await?))
    }

    fn subscribe(&self) -> watch::Receiver<Seq> {
        self.wake.subscribe()
    }

    async fn check_writable(&self) -> Result<(), StoreError> {
        check::judge(self.clock_skew().await?)?;
        sqlx::query("UPDATE deskbell.checks SET checked_at_ms = coalesce($1, deskbell.now_ms())")
            .bind(self.clock.manual_ms())
            .execute(&*self.pools)
            .await?;
        Ok(())
    }
}

fn bytes_max(limit: ReadLimit) -> i64 {
    i64::try_from(limit.bytes_max.max(1)).unwrap_or(i64::MAX)
}
