//! Attempts and states of deliveries as lists and charts read them. Attempts are in the order in which
//! they began: that is what they have an index of.

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

/// One attempt more than fit, without an event if that has left the log; or one row without an attempt.
/// Each with where to go on after it, and, if as many were looked through as may be, after those.
const NEWEST: &str = "WITH looked AS MATERIALIZED (
         SELECT started_at_ms, destination_id, seq, number FROM deskbell.attempts
         WHERE started_at_ms <= $1 AND (started_at_ms, destination_id, seq, number) < ($1, $2, $3, $4)
         ORDER BY started_at_ms DESC, destination_id DESC, seq DESC, number DESC LIMIT $5
     ), wanted AS MATERIALIZED (
         SELECT looked.*, destination.name
         FROM looked JOIN deskbell.destinations AS destination ON destination.id = destination_id
         WHERE destination.name = coalesce($6, destination.name)
         ORDER BY started_at_ms DESC, destination_id DESC, seq DESC, number DESC LIMIT $7
     ), passed AS (
         SELECT concat_ws('.', started_at_ms, destination_id, seq, number) AS place FROM looked
         WHERE (SELECT count(*) FROM looked) = $5
         ORDER BY started_at_ms, destination_id, seq, number LIMIT 1
     )
     SELECT wanted.name, wanted.number, wanted.started_at_ms, made.duration_ms, made.status,
            made.error, made.reply, event.seq, event.received_at_ms, event.source,
            event.message_id, event.type, event.subject, event.occurred_at_ms, event.instance_id,
            event.payload_bytes, event.origin,
            concat_ws('.', wanted.started_at_ms, wanted.destination_id, wanted.seq, wanted.number),
            (SELECT place FROM passed)
     FROM (SELECT) AS at_least
     LEFT JOIN wanted ON true
     LEFT JOIN LATERAL (
         SELECT duration_ms, status, error, reply FROM deskbell.attempts AS own
         WHERE own.destination_id = wanted.destination_id AND own.seq = wanted.seq
             AND own.number = wanted.number OFFSET 0
     ) AS made ON true
     LEFT JOIN LATERAL (
         SELECT seq, received_at_ms, source, message_id, type, subject, occurred_at_ms, instance_id,
                coalesce(octet_length(payload), 0)::bigint AS payload_bytes, origin
         FROM deskbell.events AS own WHERE own.seq = wanted.seq OFFSET 0
     ) AS event ON true
     ORDER BY wanted.started_at_ms DESC, wanted.destination_id DESC, wanted.seq DESC,
         wanted.number DESC";

const ONE: &str = "SELECT name, number, started_at_ms, duration_ms, status, error, reply,
            event.seq, received_at_ms, source, message_id, type, subject, occurred_at_ms,
            instance_id, coalesce(octet_length(payload), 0)::bigint, origin
     FROM deskbell.destinations AS destination
     JOIN deskbell.attempts AS made ON made.destination_id = destination.id AND made.seq = $2
         AND made.number = $3
     JOIN deskbell.events AS event ON event.seq = made.seq
     WHERE name = $1";

/// The attempts of each bucket, those of none among them.
const COUNT: &str = "SELECT bucket, count(*) FILTER (WHERE delivered),
            count(*) FILTER (WHERE NOT delivered)
     FROM (SELECT error IS NULL AS delivered,
                  CASE WHEN destination_id =
                           (SELECT id FROM deskbell.destinations WHERE name = $1)
                       THEN (started_at_ms - $2) * $4 / ($3 - $2) END AS bucket
           FROM deskbell.attempts WHERE started_at_ms >= $2 AND started_at_ms < $3
           ORDER BY started_at_ms DESC LIMIT $5) AS looked
     GROUP BY bucket";

/// Of each destination no more than are asked for.
const PENDING: &str = "SELECT DISTINCT newest.seq
     FROM deskbell.destinations AS destination
     CROSS JOIN LATERAL (
         SELECT seq FROM deskbell.deliveries AS own
         WHERE own.destination_id = destination.id AND own.seq < $2
         ORDER BY own.destination_id DESC, own.seq DESC LIMIT $3
     ) AS newest
     WHERE name = coalesce($1, name) ORDER BY newest.seq DESC LIMIT $3";

const DEAD_LETTERED: &str = "SELECT DISTINCT newest.seq
     FROM deskbell.destinations AS destination
     CROSS JOIN LATERAL (
         SELECT seq FROM deskbell.settled_deliveries AS own
         WHERE own.destination_id = destination.id AND own.state = 'dead_lettered' AND own.seq < $2
         ORDER BY own.destination_id DESC, own.seq DESC LIMIT $3
     ) AS newest
     WHERE name = coalesce($1, name) ORDER BY newest.seq DESC LIMIT $3";

const STATES: &str = "SELECT wanted.seq, count(*) FILTER (WHERE found.state = 'pending'),
            count(*) FILTER (WHERE found.state = 'delivered'),
            count(*) FILTER (WHERE found.state = 'dead_lettered')
     FROM unnest($1::bigint[]) AS wanted (seq)
     CROSS JOIN deskbell.destinations AS destination
     CROSS JOIN LATERAL (
         (SELECT 'pending' AS state FROM deskbell.deliveries AS own
          WHERE own.destination_id = destination.id AND own.seq = wanted.seq OFFSET 0)
         UNION ALL
         (SELECT own.state FROM deskbell.settled_deliveries AS own
          WHERE own.destination_id = destination.id AND own.seq = wanted.seq OFFSET 0)
     ) AS found
     GROUP BY wanted.seq ORDER BY wanted.seq";

#[async_trait]
impl AttemptLog for PostgresStore {
    async fn newest_attempts(&self, query: &AttemptRange) -> Result<LoggedAttempts, StoreError> {
        let [started_at_ms, destination_id, seq, number] = place(query.before.as_deref());
        let attempts_max = query.attempts_max.max(1);
        let rows = sqlx::query(NEWEST)
            .bind(started_at_ms)
            .bind(destination_id)
            .bind(seq)
            .bind(number)
            .bind(i64::from(query.scanned_max.max(1)))
            .bind(query.destination.as_deref().map(text))
            .bind(i64::from(attempts_max) + 1)
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
        let newest = match state {
            StateFilter::Pending => PENDING,
            StateFilter::DeadLettered => DEAD_LETTERED,
        };
        let seqs: Vec<i64> = sqlx::query_scalar(newest)
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
