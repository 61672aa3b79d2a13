//! Attempts and states of deliveries as lists and charts read them. Attempts lie in the order in which
//! they were stored.

use std::collections::BTreeSet;

use async_trait::async_trait;
use sqlx::{Row, SqliteConnection};

use super::attempt_counts::{count, last_before};
use super::{json, targets};
use crate::deliveries::{
    AttemptCountQuery, AttemptCounts, AttemptLog, AttemptRange, DeliveryKey, LoggedAttempt,
    LoggedAttempts, StateCounts, StateFilter,
};
use crate::rows::{self, Sources};
use crate::sqlite::SqliteStore;
use crate::{Seq, StoreError};

pub(super) const NEWEST: &str =
    "SELECT name, number, started_at_ms, duration_ms, status, error, reply,
            made.seq, received_at_ms, source, message_id, type, subject, occurred_at_ms,
            instance_id,
            iif(length(payload) > 0, coalesce(payload_bytes, length(payload)), 0), origin, made.id
     FROM attempts AS made
     CROSS JOIN destinations AS destination ON destination.id = made.destination_id
     CROSS JOIN events AS event ON event.seq = made.seq
     WHERE made.id > ?1 AND made.id <= ?2
         AND made.destination_id = coalesce(?3, made.destination_id)
     ORDER BY made.id DESC LIMIT ?4";

pub(super) const ONE: &str =
    "SELECT name, number, started_at_ms, duration_ms, status, error, reply,
            made.seq, received_at_ms, source, message_id, type, subject, occurred_at_ms,
            instance_id,
            iif(length(payload) > 0, coalesce(payload_bytes, length(payload)), 0), origin
     FROM destinations AS destination
     CROSS JOIN attempts AS made
         ON made.seq = ?2 AND made.destination_id = destination.id AND made.number = ?3
     CROSS JOIN events AS event ON event.seq = made.seq
     WHERE name = ?1";

/// A list of each destination's newest events with a pending delivery.
pub(super) const PENDING: &str = "SELECT (
         SELECT json_group_array(seq) FROM (
             SELECT seq FROM deliveries WHERE destination_id = destination.id AND seq < ?2
             ORDER BY seq DESC LIMIT ?3))
     FROM destinations AS destination WHERE name = coalesce(?1, name)";

/// As [`PENDING`], of dead letters.
pub(super) const DEAD_LETTERED: &str = "SELECT (
         SELECT json_group_array(seq) FROM (
             SELECT seq FROM settled_deliveries INDEXED BY settled_deliveries_dead
             WHERE state = 'dead_lettered' AND destination_id = destination.id AND seq < ?2
             ORDER BY seq DESC LIMIT ?3))
     FROM destinations AS destination WHERE name = coalesce(?1, name)";

pub(super) const STATES: &str =
    "SELECT seq, sum(state = 'pending'), sum(state = 'delivered'), sum(state = 'dead_lettered')
     FROM (SELECT pending.seq, 'pending' AS state
           FROM json_each(?1) AS wanted
           CROSS JOIN destinations AS destination
           CROSS JOIN deliveries AS pending
               ON pending.destination_id = destination.id AND pending.seq = wanted.value
           UNION ALL
           SELECT settled.seq, settled.state
           FROM json_each(?1) AS wanted
           CROSS JOIN destinations AS destination
           CROSS JOIN settled_deliveries AS settled
               ON settled.destination_id = destination.id AND settled.seq = wanted.value)
     GROUP BY seq";

#[async_trait]
impl AttemptLog for SqliteStore {
    async fn newest_attempts(&self, query: &AttemptRange) -> Result<LoggedAttempts, StoreError> {
        let mut snapshot = self.readers.begin().await?;
        let page = newest(&mut snapshot, query).await?;
        snapshot.commit().await?;
        Ok(page)
    }

    async fn logged_attempt(
        &self,
        key: &DeliveryKey,
        number: u32,
    ) -> Result<Option<LoggedAttempt>, StoreError> {
        let find = sqlx::query(ONE).bind(&*key.destination).bind(key.seq.get()).bind(number);
        let row = find.fetch_optional(&self.readers).await?;
        let attempt = row.map(|row| rows::logged_attempt(&row, &mut Sources::default()));
        Ok(attempt.transpose()?)
    }

    async fn count_attempts(&self, query: &AttemptCountQuery) -> Result<AttemptCounts, StoreError> {
        let mut snapshot = self.readers.begin().await?;
        let counts = count(&mut snapshot, query).await?;
        snapshot.commit().await?;
        Ok(counts)
    }

    async fn events_in_state(
        &self,
        state: StateFilter,
        destination: Option<&str>,
        before: Option<Seq>,
        events_max: u32,
    ) -> Result<Vec<Seq>, StoreError> {
        let newest = match state {
            StateFilter::Pending => PENDING,
            StateFilter::DeadLettered => DEAD_LETTERED,
        };
        let lists: Vec<String> = sqlx::query_scalar(newest)
            .bind(destination)
            .bind(before.map_or(i64::MAX, Seq::get))
            .bind(events_max)
            .fetch_all(&self.readers)
            .await?;
        let mut seqs: BTreeSet<i64> = BTreeSet::new();
        for list in lists {
            let list: Vec<i64> = serde_json::from_str(&list)
                .map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
            seqs.extend(list);
        }
        Ok(seqs.into_iter().rev().take(events_max as usize).map(Seq::new).collect())
    }

    async fn count_deliveries(&self, seqs: &[Seq]) -> Result<Vec<(Seq, StateCounts)>, StoreError> {
        let seqs: BTreeSet<i64> = seqs.iter().map(|seq| seq.get()).collect();
        let rows = sqlx::query(STATES).bind(json(&seqs)?).fetch_all(&self.readers).await?;
        rows::each(&rows, rows::state_counts)
    }
}

async fn newest(
    connection: &mut SqliteConnection,
    query: &AttemptRange,
) -> Result<LoggedAttempts, sqlx::Error> {
    let before = query.before.as_deref().and_then(|text| text.parse().ok()).unwrap_or(i64::MAX);
    let mut page = LoggedAttempts { attempts: Vec::new(), older: None };
    let mut only_id = None;
    if let Some(name) = &query.destination {
        let Some(target) = targets::target(connection, name).await? else { return Ok(page) };
        only_id = Some(target.id);
    }
    let Some(last) = last_before(connection, before).await? else { return Ok(page) };
    let passed = last - i64::from(query.scanned_max.max(1));
    let rows = sqlx::query(NEWEST)
        .bind(passed)
        .bind(last)
        .bind(only_id)
        .bind(query.attempts_max.max(1))
        .fetch_all(&mut *connection)
        .await?;
    let mut sources = Sources::default();
    for row in &rows {
        page.attempts.push(rows::logged_attempt(row, &mut sources)?);
    }
    let end = match rows.last() {
        Some(row) if rows.len() == query.attempts_max.max(1) as usize => row.try_get(17)?,
        _ => passed + 1,
    };
    page.older = last_before(connection, end).await?.map(|_| end.to_string());
    Ok(page)
}
