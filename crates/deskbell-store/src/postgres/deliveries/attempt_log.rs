//! Attempts and states of deliveries as lists and charts read them. Attempts are in the order in which
//! they began: that is what they have an index of. The functions are in `migrations/0019_lists.sql`.

use std::collections::BTreeSet;

use async_trait::async_trait;
use sqlx::Row;
use sqlx::postgres::PgRow;

use crate::deliveries::{
    AttemptCountQuery, AttemptCounts, AttemptLog, AttemptRange, DeliveryKey, LoggedAttempt,
    LoggedAttempts, StateCounts, StateFilter,
};
use crate::postgres::PostgresStore;
use crate::postgres::append::text;
use crate::rows::{self, Columns, Sources};
use crate::{Seq, StoreError};

/// One attempt more than fit, and where to go on.
const NEWEST: &str = "SELECT name, number, started_at_ms, duration_ms, status, error, reply, seq,
            received_at_ms, source, message_id, type, subject, occurred_at_ms, instance_id,
            payload_bytes, origin, place, passed
     FROM deskbell.newest_attempts_v1($1, $2, $3, $4, $5, $6, $7)";

const ONE: &str = "SELECT name, number, started_at_ms, duration_ms, status, error, reply,
            event.seq, received_at_ms, source, message_id, type, subject, occurred_at_ms,
            instance_id, deskbell.length_v1(payload, payload_bytes), origin
     FROM deskbell.destinations AS destination
     JOIN deskbell.attempts AS made ON made.destination_id = destination.id AND made.seq = $2
         AND made.number = $3
     JOIN deskbell.events AS event ON event.seq = made.seq
     WHERE name = $1";

const COUNT: &str = "SELECT bucket, delivered, failed
     FROM deskbell.count_attempts_v1($1, $2, $3, $4, $5)";

const IN_STATE: &str = "SELECT seq FROM deskbell.events_in_state_v1($1, $2, $3, $4) AS seq";

const STATES: &str = "SELECT seq, pending, delivered, dead_lettered
     FROM deskbell.count_deliveries_v1($1)";

#[async_trait]
impl AttemptLog for PostgresStore {
    async fn newest_attempts(&self, query: &AttemptRange) -> Result<LoggedAttempts, StoreError> {
        let attempts_max = query.attempts_max.max(1);
        let mut newest = sqlx::query(NEWEST).bind(query.destination.as_deref().map(text));
        for number in place(query.before.as_deref()) {
            newest = newest.bind(number);
        }
        let rows = newest
            .bind(i64::from(attempts_max) + 1)
            .bind(i64::from(query.scanned_max.max(1)))
            .fetch_all(&*self.pools)
            .await?;
        Ok(page(&rows, attempts_max as usize)?)
    }

    async fn logged_attempt(
        &self,
        key: &DeliveryKey,
        number: u32,
    ) -> Result<Option<LoggedAttempt>, StoreError> {
        let find = sqlx::query(ONE).bind(text(&key.destination)).bind(key.seq.get());
        let row = find.bind(i64::from(number)).fetch_optional(&*self.pools).await?;
        let attempt = row.map(|row| rows::logged_attempt(&row, &mut Sources::default()));
        Ok(attempt.transpose()?)
    }

    async fn count_attempts(&self, query: &AttemptCountQuery) -> Result<AttemptCounts, StoreError> {
        let buckets = vec![(0, 0); query.buckets.max(1) as usize];
        let mut counts = AttemptCounts { buckets, complete: true };
        if query.since_ms >= query.until_ms {
            return Ok(counts);
        }
        let rows = sqlx::query(COUNT)
            .bind(text(&query.destination))
            .bind(query.since_ms)
            .bind(query.until_ms)
            .bind(i64::from(query.buckets.max(1)))
            .bind(i64::from(query.scanned_max))
            .fetch_all(&*self.pools)
            .await?;
        let mut looked_at = 0;
        for row in &rows {
            let (delivered, failed) = (row.count(1)?, row.count(2)?);
            looked_at += delivered + failed;
            let bucket = row.integer_or_null(0)?.and_then(|bucket| usize::try_from(bucket).ok());
            if let Some(counted) = bucket.and_then(|bucket| counts.buckets.get_mut(bucket)) {
                *counted = (delivered, failed);
            }
        }
        counts.complete = looked_at < u64::from(query.scanned_max);
        Ok(counts)
    }

    async fn events_in_state(
        &self,
        state: StateFilter,
        destination: Option<&str>,
        before: Option<Seq>,
        events_max: u32,
    ) -> Result<Vec<Seq>, StoreError> {
        let seqs: Vec<i64> = sqlx::query_scalar(IN_STATE)
            .bind(state == StateFilter::Pending)
            .bind(destination.map(text))
            .bind(before.map_or(i64::MAX, Seq::get))
            .bind(i64::from(events_max))
            .fetch_all(&*self.pools)
            .await?;
        Ok(seqs.into_iter().map(Seq::new).collect())
    }

    async fn count_deliveries(&self, seqs: &[Seq]) -> Result<Vec<(Seq, StateCounts)>, StoreError> {
        let seqs: BTreeSet<i64> = seqs.iter().map(|seq| seq.get()).collect();
        let seqs: Vec<i64> = seqs.into_iter().collect();
        let rows = sqlx::query(STATES).bind(seqs).fetch_all(&*self.pools).await?;
        rows::each(&rows, rows::state_counts)
    }
}

/// Where the page before ended; without one, after all attempts.
fn place(before: Option<&str>) -> [i64; 4] {
    let numbers = |text: &str| -> Option<[i64; 4]> {
        let numbers: Result<Vec<i64>, _> = text.split('.').map(str::parse).collect();
        numbers.ok()?.try_into().ok()
    };
    before.and_then(numbers).unwrap_or([i64::MAX; 4])
}

/// The attempts of rows of [`NEWEST`], and where to go on.
fn page(rows: &[PgRow], attempts_max: usize) -> Result<LoggedAttempts, sqlx::Error> {
    let mut sources = Sources::default();
    let mut page = LoggedAttempts { attempts: Vec::new(), older: None };
    for row in rows.iter().take(attempts_max) {
        if row.integer_or_null(7)?.is_some() {
            page.attempts.push(rows::logged_attempt(row, &mut sources)?);
        }
        page.older = row.try_get(if rows.len() > attempts_max { 17 } else { 18 })?;
    }
    Ok(page)
}
