//! Events without their payloads. `length` reads a payload's size from the row's header. The length of
//! a compressed one stands behind it: only where that fills pages of its own are they passed.

use async_trait::async_trait;
use sqlx::{QueryBuilder, Sqlite};

use super::SqliteStore;
use super::json::json;
use crate::event_heads::{EventHead, EventHeads, HeadFilter, SeqRange, TypePatterns};
use crate::{Seq, StoreError, rows};

const HEADS: &str = "SELECT seq, received_at_ms, source, message_id, type, subject, occurred_at_ms,
            instance_id, iif(length(payload) > 0, coalesce(payload_bytes, length(payload)), 0),
            origin
     FROM events WHERE seq > ";

const HEADS_AT: &str = "SELECT seq, received_at_ms, source, message_id, type, subject,
            occurred_at_ms, instance_id, iif(length(payload) > 0, coalesce(payload_bytes, length(payload)), 0),
            origin
     FROM events WHERE seq IN (SELECT value FROM json_each(?1)) ORDER BY seq DESC";

/// The last number that was given out, also where its request has been pruned.
const DUPLICATES: &str = "SELECT seq FROM sqlite_sequence WHERE name = 'replay_requests'";

#[async_trait]
impl EventHeads for SqliteStore {
    async fn heads(
        &self,
        range: SeqRange,
        filter: &HeadFilter,
        events_max: u32,
    ) -> Result<Vec<EventHead>, StoreError> {
        let mut query = heads(range, filter, events_max)?;
        let rows = query.build().fetch_all(&self.readers).await?;
        Ok(rows::event_heads(&rows)?)
    }

    async fn heads_at(&self, seqs: &[Seq]) -> Result<Vec<EventHead>, StoreError> {
        let seqs: Vec<i64> = seqs.iter().map(|seq| seq.get()).collect();
        let rows = sqlx::query(HEADS_AT).bind(json(&seqs)?).fetch_all(&self.readers).await?;
        Ok(rows::event_heads(&rows)?)
    }

    async fn duplicates(&self) -> Result<u64, StoreError> {
        let last: Option<i64> =
            sqlx::query_scalar(DUPLICATES).fetch_optional(&self.readers).await?;
        Ok(last.and_then(|last| u64::try_from(last).ok()).unwrap_or(0))
    }
}

fn heads(
    range: SeqRange,
    filter: &HeadFilter,
    events_max: u32,
) -> Result<QueryBuilder<Sqlite>, sqlx::Error> {
    let mut query = QueryBuilder::new(HEADS);
    query.push_bind(range.after.get()).push(" AND seq <= ").push_bind(range.up_to.get());
    if let Some(source) = &filter.source {
        query.push(" AND source = ").push_bind(source);
    }
    if let Some(patterns) = filter.type_patterns() {
        push_types(&mut query, &patterns)?;
    }
    query.push(" ORDER BY seq DESC LIMIT ").push_bind(events_max);
    Ok(query)
}

fn push_types(
    query: &mut QueryBuilder<Sqlite>,
    patterns: &TypePatterns<'_>,
) -> Result<(), sqlx::Error> {
    query.push(" AND (type IN (SELECT value FROM json_each(");
    query.push_bind(json(&patterns.exact)?).push("))");
    for prefix in &patterns.prefixes {
        let chars = i64::try_from(prefix.chars().count()).unwrap_or(i64::MAX);
        query.push(" OR substr(type, 1, ").push_bind(chars).push(") = ").push_bind(*prefix);
    }
    query.push(")");
    Ok(())
}

#[cfg(test)]
mod tests {
    use sqlx::{AssertSqlSafe, Row};

    use super::*;

    #[tokio::test]
    async fn a_list_walks_the_primary_key() {
        let directory = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&directory.path().join("deskbell.db")).await.unwrap();
        let range = SeqRange { after: Seq::ZERO, up_to: Seq::new(10) };
        let filter = HeadFilter {
            source: Some("clerk".to_owned()),
            types: ["user.*", "session.created"].map(str::to_owned).to_vec(),
        };
        let all = HeadFilter::default();
        let queries = [heads(range, &all, 10).unwrap(), heads(range, &filter, 10).unwrap()];
        let texts = queries.iter().map(|query| query.sql().as_str().to_owned());
        for sql in texts.chain([HEADS_AT.to_owned()]) {
            let explain = sqlx::query(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}")));
            let rows = explain.fetch_all(&store.readers).await.unwrap();
            let steps: Vec<String> = rows.iter().map(|row| row.get("detail")).collect();
            let walks = |step: &String| step.starts_with("SEARCH events USING INTEGER PRIMARY KEY");
            assert!(steps.iter().any(walks), "{steps:?}");
            assert!(!steps.iter().any(|step| step.contains("ORDER BY")), "sorted: {steps:?}");
        }
    }
}
