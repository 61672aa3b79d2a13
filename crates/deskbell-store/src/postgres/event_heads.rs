//! Events without their payloads: the database knows how long a payload is without fetching it.

use async_trait::async_trait;

use super::PostgresStore;
use super::append::text;
use crate::event_heads::{EventHead, EventHeads, HeadFilter, SeqRange};
use crate::{Seq, StoreError, rows};

const HEADS: &str = "SELECT seq, received_at_ms, source, message_id, type, subject, occurred_at_ms,
            instance_id, payload_bytes, origin
     FROM deskbell.heads_v1($1, $2, $3, $4, $5, $6)";

const HEADS_AT: &str = "SELECT seq, received_at_ms, source, message_id, type, subject,
            occurred_at_ms, instance_id, deskbell.length_v1(payload, payload_bytes), origin
     FROM deskbell.events WHERE seq = ANY ($1) ORDER BY seq DESC";

/// The last number that was given out, also where its request has been pruned.
const DUPLICATES: &str = "SELECT coalesce(pg_sequence_last_value(
         pg_get_serial_sequence('deskbell.replay_requests', 'number')::regclass), 0)";

#[async_trait]
impl EventHeads for PostgresStore {
    async fn heads(
        &self,
        range: SeqRange,
        filter: &HeadFilter,
        events_max: u32,
    ) -> Result<Vec<EventHead>, StoreError> {
        let (exact, prefixes) = filter.type_patterns().map(|it| (it.exact, it.prefixes)).unzip();
        let rows = sqlx::query(HEADS)
            .bind(range.after.get())
            .bind(range.up_to.get())
            .bind(filter.source.as_deref().map(text))
            .bind(exact.map(texts))
            .bind(prefixes.map(texts))
            .bind(i64::from(events_max))
            .fetch_all(&*self.pools)
            .await?;
        Ok(rows::event_heads(&rows)?)
    }

    async fn heads_at(&self, seqs: &[Seq]) -> Result<Vec<EventHead>, StoreError> {
        let seqs: Vec<i64> = seqs.iter().map(|seq| seq.get()).collect();
        let rows = sqlx::query(HEADS_AT).bind(seqs).fetch_all(&*self.pools).await?;
        Ok(rows::event_heads(&rows)?)
    }

    async fn duplicates(&self) -> Result<u64, StoreError> {
        let last: i64 = sqlx::query_scalar(DUPLICATES).fetch_one(&*self.pools).await?;
        Ok(u64::try_from(last).unwrap_or(0))
    }
}

fn texts(given: Vec<&str>) -> Vec<String> {
    given.into_iter().map(|one| text(one).into_owned()).collect()
}
