//! Queries about deliveries, read on the pool of readers.

use async_trait::async_trait;

use crate::deliveries::{
    Backlog, DeadLetter, DeadLetterQuery, DeliveryQueries, DeliverySummary, FilteredOut,
};
use crate::sqlite::SqliteStore;
use crate::{Seq, StoreError, rows};

/// It counts in indexes of pending and of dead-lettered deliveries, never of delivered ones.
pub(super) const BACKLOGS: &str = "SELECT name,
            (SELECT count(*) FROM deliveries WHERE destination_id = destination.id),
            (SELECT count(*) FROM settled_deliveries INDEXED BY settled_deliveries_dead
             WHERE destination_id = destination.id AND state = 'dead_lettered'),
            (SELECT received_at_ms FROM events WHERE seq =
                (SELECT min(seq) FROM deliveries WHERE destination_id = destination.id))
     FROM destinations AS destination ORDER BY name";

/// Destinations by name, in each the dead letters by `seq`: nothing is sorted, and what comes
/// before `after` is passed over.
pub(super) const DEAD_LETTERS: &str =
    "SELECT destination.name, dead.seq, source, message_id, type, subject,
            settled_at_ms, attempts_total, reason
     FROM destinations AS destination
     CROSS JOIN settled_deliveries AS dead INDEXED BY settled_deliveries_dead
     WHERE dead.state = 'dead_lettered' AND dead.destination_id = destination.id
         AND destination.name BETWEEN coalesce(?1, ?3, '') AND coalesce(?1, destination.name)
         AND destination.name >= coalesce(?3, '')
         AND dead.seq > iif(destination.name = ?3, ?4, 0)
         AND dead.settled_at_ms >= coalesce(?2, dead.settled_at_ms)
     ORDER BY destination.name, dead.seq LIMIT ?5";

/// One statement, so that none is seen in both places or in neither.
const DELIVERIES_OF: &str = "SELECT name, ?1, 'pending', iif(blocked, NULL, due_at_ms), NULL
     FROM destinations AS destination
     JOIN deliveries ON destination_id = destination.id AND seq = ?1
     UNION ALL
     SELECT name, ?1, state, settled_at_ms, reason
     FROM destinations AS destination
     JOIN settled_deliveries ON destination_id = destination.id AND seq = ?1
     ORDER BY 1";

const ATTEMPTS: &str = "SELECT name, number, started_at_ms, duration_ms, status, error, reply
     FROM attempts JOIN destinations AS destination ON destination.id = destination_id
     WHERE seq = ?1 ORDER BY name, number";

const FILTERED_OUT: &str = "SELECT reason.key, reason.value
     FROM unwanted_events, json_each(reasons) AS reason WHERE seq = ?1 ORDER BY reason.key";

#[async_trait]
impl DeliveryQueries for SqliteStore {
    async fn backlogs(&self) -> Result<Vec<Backlog>, StoreError> {
        let rows = sqlx::query(BACKLOGS).fetch_all(&self.readers).await?;
        rows::each(&rows, rows::backlog)
    }

    async fn dead_letters(&self, query: &DeadLetterQuery) -> Result<Vec<DeadLetter>, StoreError> {
        let rows = sqlx::query(DEAD_LETTERS)
            .bind(query.destination.as_deref())
            .bind(query.since_ms)
            .bind(query.after.as_ref().map(|after| &*after.destination))
            .bind(query.after.as_ref().map(|after| after.seq.get()))
            .bind(query.limit)
            .fetch_all(&self.readers)
            .await?;
        rows::each(&rows, rows::dead_letter)
    }

    async fn deliveries_of(&self, seq: Seq) -> Result<Vec<DeliverySummary>, StoreError> {
        let deliveries =
            sqlx::query(DELIVERIES_OF).bind(seq.get()).fetch_all(&self.readers).await?;
        let attempts = sqlx::query(ATTEMPTS).bind(seq.get()).fetch_all(&self.readers).await?;
        Ok(rows::delivery_summaries(&deliveries, &attempts)?)
    }

    async fn filtered_out(&self, seq: Seq) -> Result<Vec<FilteredOut>, StoreError> {
        let rows = sqlx::query(FILTERED_OUT).bind(seq.get()).fetch_all(&self.readers).await?;
        rows::each(&rows, rows::filtered_out)
    }
}
