//! Pruning: events, payloads, one-time codes, attempts and commands, in this order, until a batch is
//! full.

use sqlx::{Connection, SqliteConnection};

use super::blockers::{Limits, limits};
use crate::retention::{PruneOptions, Pruned};
use crate::sqlite::deliveries::{Pending, dead_letter_others};
use crate::sqlite::json::json;

/// What was settled for events up to an event. Destinations are few.
pub(super) const SETTLED: &str = "DELETE FROM settled_deliveries WHERE (destination_id, seq) IN (
     SELECT destination.id, settled.seq FROM destinations AS destination
     CROSS JOIN settled_deliveries AS settled
         ON settled.destination_id = destination.id AND settled.seq <= ?1)";

/// Acted on: the router may still be about to look for the event of another one.
pub(super) const REQUESTS: &str = "DELETE FROM replay_requests WHERE seq <= ?1
     AND number <= (SELECT replayed_number FROM router)";

pub(super) const ATTEMPTS_OF_EVENTS: &str = "DELETE FROM attempts WHERE seq <= ?1";
pub(super) const UNWANTED: &str = "DELETE FROM unwanted_events WHERE seq <= ?1";
pub(super) const USER_REFS: &str = "DELETE FROM event_people WHERE seq <= ?1";
pub(super) const ERASURES: &str = "DELETE FROM erasures WHERE seq <= ?1";
/// While the events are still there: the index has no other way to its rows.
pub(super) const SUBJECTS: &str = "DELETE FROM event_subjects WHERE (subject, seq) IN (
     SELECT subject, seq FROM events WHERE seq <= ?1)";
pub(super) const EVENTS: &str = "DELETE FROM events WHERE seq <= ?1";
pub(super) const PAYLOADS: &str =
    "UPDATE events SET payload = x'' WHERE seq > ?1 AND seq <= ?2 AND length(payload) > 0";

/// The first ones are looked at, however old they are: attempts lie in the order of time.
pub(super) const ATTEMPTS: &str = "DELETE FROM attempts WHERE id IN (
     SELECT id FROM (SELECT id, started_at_ms FROM attempts ORDER BY id LIMIT ?2)
     WHERE started_at_ms < ?1)";

pub(super) const COMMANDS: &str = "DELETE FROM orders WHERE number IN (
     SELECT number FROM (SELECT number, finished_at_ms FROM orders ORDER BY number LIMIT ?2)
     WHERE finished_at_ms < ?1)";

/// Received long enough ago, passed by everybody, with no delivery that is open or was settled
/// since.
pub(super) const CODES: &str = "SELECT seq FROM events INDEXED BY events_one_time_codes
     WHERE type IN ('email.created', 'sms.created') AND length(payload) > 0
         AND seq <= ?1 AND received_at_ms < ?2
         AND NOT EXISTS (SELECT 1 FROM destinations AS destination
             CROSS JOIN deliveries AS pending
                 ON pending.destination_id = destination.id AND pending.seq = events.seq
             WHERE destination.name IN (SELECT value FROM json_each(?3)))
         AND NOT EXISTS (SELECT 1 FROM destinations AS destination
             CROSS JOIN settled_deliveries AS settled
                 ON settled.destination_id = destination.id AND settled.seq = events.seq
             WHERE settled.settled_at_ms >= ?2)
     ORDER BY seq LIMIT ?4";

/// The last places, and the times before which what began or ended is too old.
pub(super) struct Cutoffs {
    pub(super) payloads: i64,
    pub(super) events: i64,
    pub(super) attempts_ms: i64,
    pub(super) commands_ms: i64,
    pub(super) one_time_codes_ms: i64,
    pub(super) now_ms: i64,
}

pub(super) async fn prune(
    connection: &mut SqliteConnection,
    pruning: &PruneOptions,
    cutoffs: &Cutoffs,
) -> Result<Pruned, sqlx::Error> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let limits = limits(&mut transaction, pruning, cutoffs.payloads).await?;
    let mut batch = Batch {
        pruning,
        cutoffs,
        left: i64::from(pruning.rows_max),
        pruned: Pruned::default(),
        connection: &mut transaction,
    };
    batch.events(&limits).await?;
    batch.payloads(&limits).await?;
    batch.one_time_codes(&limits).await?;
    batch.pruned.attempts = batch.oldest(ATTEMPTS, cutoffs.attempts_ms).await?;
    batch.pruned.commands = batch.oldest(COMMANDS, cutoffs.commands_ms).await?;
    let mut pruned = batch.pruned;
    pruned.more = batch.left <= 0;
    pruned.blockers = limits.blockers;
    transaction.commit().await?;
    Ok(pruned)
}

struct Batch<'a> {
    connection: &'a mut SqliteConnection,
    pruning: &'a PruneOptions,
    cutoffs: &'a Cutoffs,
    /// Rows that may still be touched.
    left: i64,
    pruned: Pruned,
}

impl Batch<'_> {
    async fn events(&mut self, limits: &Limits) -> Result<(), sqlx::Error> {
        let last = limits.last.min(self.cutoffs.events);
        let Some(first) = self.first_event().await?.filter(|first| *first <= last) else {
            return Ok(());
        };
        let last = last.min(first + self.left - 1);
        self.dead_letter_others(Pending::UpTo(last)).await?;
        for sql in [SETTLED, REQUESTS, ATTEMPTS_OF_EVENTS, UNWANTED, USER_REFS, ERASURES, SUBJECTS]
        {
            sqlx::query(sql).bind(last).execute(&mut *self.connection).await?;
        }
        let deleted = sqlx::query(EVENTS).bind(last).execute(&mut *self.connection).await?;
        self.pruned.events = deleted.rows_affected();
        self.left -= last - first + 1;
        Ok(())
    }

    async fn payloads(&mut self, limits: &Limits) -> Result<(), sqlx::Error> {
        let last = limits.last.min(self.cutoffs.payloads);
        let emptied: i64 = sqlx::query_scalar("SELECT payloads_emptied_seq FROM upkeep")
            .fetch_one(&mut *self.connection)
            .await?;
        let Some(first) = self.first_event().await? else { return Ok(()) };
        let emptied = emptied.max(first - 1);
        let last = last.min(emptied + self.left);
        if last <= emptied {
            return Ok(());
        }
        self.dead_letter_others(Pending::UpTo(last)).await?;
        let emptying = sqlx::query(PAYLOADS).bind(emptied).bind(last);
        self.pruned.payloads += emptying.execute(&mut *self.connection).await?.rows_affected();
        sqlx::query("UPDATE upkeep SET payloads_emptied_seq = ?1")
            .bind(last)
            .execute(&mut *self.connection)
            .await?;
        self.left -= last - emptied;
        Ok(())
    }

    async fn one_time_codes(&mut self, limits: &Limits) -> Result<(), sqlx::Error> {
        let codes: Vec<i64> = sqlx::query_scalar(CODES)
            .bind(limits.read_by_all)
            .bind(self.cutoffs.one_time_codes_ms)
            .bind(json(&self.pruning.destinations)?)
            .bind(self.left.max(0))
            .fetch_all(&mut *self.connection)
            .await?;
        if codes.is_empty() {
            return Ok(());
        }
        let listed = json(&codes)?;
        self.dead_letter_others(Pending::At(&codes)).await?;
        let emptying = "UPDATE events SET payload = x''
             WHERE seq IN (SELECT value FROM json_each(?1))";
        let emptied = sqlx::query(emptying).bind(listed).execute(&mut *self.connection).await?;
        self.pruned.payloads += emptied.rows_affected();
        self.left -= i64::try_from(codes.len()).unwrap_or(self.left);
        Ok(())
    }

    async fn oldest(&mut self, sql: &'static str, before_ms: i64) -> Result<u64, sqlx::Error> {
        if self.left <= 0 {
            return Ok(0);
        }
        let deleting = sqlx::query(sql).bind(before_ms).bind(self.left);
        let deleted = deleting.execute(&mut *self.connection).await?.rows_affected();
        self.left -= i64::try_from(deleted).unwrap_or(self.left);
        Ok(deleted)
    }

    async fn first_event(&mut self) -> Result<Option<i64>, sqlx::Error> {
        sqlx::query_scalar("SELECT min(seq) FROM events").fetch_one(&mut *self.connection).await
    }

    /// What is pending for destinations that are no longer delivered to: with its payload gone, it
    /// could only be sent empty if they came back.
    async fn dead_letter_others(&mut self, pending: Pending<'_>) -> Result<(), sqlx::Error> {
        let (destinations, now_ms) = (&self.pruning.destinations, self.cutoffs.now_ms);
        self.pruned.dead_lettered +=
            dead_letter_others(self.connection, destinations, pending, now_ms).await?;
        Ok(())
    }
}
