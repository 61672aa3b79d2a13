//! The log: appending to it and reading it.

use async_trait::async_trait;
use futures_util::TryStreamExt;
use sqlx::{SqliteExecutor, SqlitePool};
use tokio::sync::watch;

use super::store::{SqliteStore, moved};
use super::{append, subject_events};
use crate::rows::{Sources, event};
use crate::{
    Appended, BatchGrowth, EventLog, LogId, NewEvent, ReadLimit, Seq, StoreError, StoredEvent,
    SubjectEvents,
};

const EVENTS: &str =
    "SELECT seq, received_at_ms, source, message_id, type, subject, occurred_at_ms,
            instance_id, payload, origin, payload_bytes
     FROM events WHERE seq > ?1 ORDER BY seq LIMIT ?2";

const FIND: &str = "SELECT seq, received_at_ms, source, message_id, type, subject, occurred_at_ms,
            instance_id, payload, origin, payload_bytes
     FROM events WHERE source = ?1 AND message_id = ?2";

#[async_trait]
impl EventLog for SqliteStore {
    fn log_id(&self) -> LogId {
        self.log_id
    }

    /// Compressed while it has the one connection that writes, a batch would hold up the next.
    fn prepare(&self, event: &NewEvent) {
        event.payload.pack();
    }

    /// A commit costs as much as seven events: with 32 connections it has 16 events instead of 12.
    fn batch_growth(&self) -> BatchGrowth {
        BatchGrowth::UntilReadyHaveRun
    }

    async fn append(&self, batch: &[NewEvent]) -> Result<Vec<Appended>, StoreError> {
        let mut writer = self.writer.lock().await;
        let writer = writer.as_mut().ok_or(StoreError::Closed)?;
        writer.recover().await?;
        let head = match writer.head.take() {
            Some(head) => head,
            None => head(&mut writer.connection).await?,
        };
        let user_refs_of = self.indexes_user_refs.then_some(self.log_id);
        let now_ms = self.clock.now_ms();
        let appended =
            append::append(&mut writer.connection, head, batch, now_ms, user_refs_of).await?;
        let head = appended.iter().map(|appended| appended.seq()).fold(head, Seq::max);
        writer.head = Some(head);
        // Only now: a file that was moved before the commit has what nobody will find.
        writer.files.check().map_err(moved)?;
        self.head.send_replace(head);
        Ok(appended)
    }

    async fn read(&self, after: Seq, limit: ReadLimit) -> Result<Vec<StoredEvent>, StoreError> {
        let mut rows = sqlx::query(EVENTS)
            .bind(after.get())
            .bind(limit.events_max.max(1))
            .fetch(&self.readers);
        let mut events = Vec::new();
        let mut sources = Sources::default();
        let mut bytes = 0;
        while let Some(row) = rows.try_next().await? {
            let event = event(&row, &mut sources)?;
            bytes += event.payload.len();
            events.push(event);
            if bytes >= limit.bytes_max {
                break;
            }
        }
        Ok(events)
    }

    async fn message_id_at(&self, seq: Seq) -> Result<Option<String>, StoreError> {
        let find = sqlx::query_scalar("SELECT message_id FROM events WHERE seq = ?1");
        Ok(find.bind(seq.get()).fetch_optional(&self.readers).await?)
    }

    async fn find(
        &self,
        source: &str,
        message_id: &str,
    ) -> Result<Option<StoredEvent>, StoreError> {
        let find = sqlx::query(FIND).bind(source).bind(message_id);
        let row = find.fetch_optional(&self.readers).await?;
        Ok(row.as_ref().map(|row| event(row, &mut Sources::default())).transpose()?)
    }

    async fn events_by_subject(
        &self,
        subject: &str,
        before: Option<Seq>,
        limit: ReadLimit,
    ) -> Result<SubjectEvents, StoreError> {
        Ok(subject_events::find(&self.readers, subject, before, limit).await?)
    }

    async fn head(&self) -> Result<Seq, StoreError> {
        Ok(head(&self.readers).await?)
    }

    async fn first_received_since(&self, at_ms: i64) -> Result<Seq, StoreError> {
        Ok(first_received_since(&self.readers, at_ms).await?)
    }

    fn subscribe(&self) -> watch::Receiver<Seq> {
        self.head.subscribe()
    }

    async fn check_writable(&self) -> Result<(), StoreError> {
        sqlx::query("UPDATE log SET checked_at_ms = ?1")
            .bind(self.clock.now_ms())
            .execute(&mut *self.connection().await?)
            .await?;
        Ok(())
    }
}

/// The last number that was given out, also where its event has been pruned.
pub(super) async fn head(executor: impl SqliteExecutor<'_>) -> Result<Seq, sqlx::Error> {
    let head: Option<i64> =
        sqlx::query_scalar("SELECT seq FROM sqlite_sequence WHERE name = 'events'")
            .fetch_optional(executor)
            .await?;
    Ok(head.map_or(Seq::ZERO, Seq::new))
}

/// A binary search: times of receipt grow with the sequence numbers, as far as the clock does, and
/// have no index.
pub(super) async fn first_received_since(
    readers: &SqlitePool,
    at_ms: i64,
) -> Result<Seq, sqlx::Error> {
    let mut reader = readers.acquire().await?;
    let mut past = head(&mut *reader).await?.next();
    let mut first = Seq::new(1);
    while first < past {
        let middle = Seq::new(first.get() + (past.get() - first.get()) / 2);
        // The next one that is there: some may have been pruned.
        let found: Option<(i64, i64)> = sqlx::query_as(
            "SELECT seq, received_at_ms FROM events WHERE seq >= ?1 ORDER BY seq LIMIT 1",
        )
        .bind(middle.get())
        .fetch_optional(&mut *reader)
        .await?;
        match found {
            Some((seq, received_at_ms)) if received_at_ms < at_ms => first = Seq::new(seq).next(),
            _ => past = middle,
        }
    }
    Ok(first)
}
