//! Queries about deliveries.

use async_trait::async_trait;

use crate::deliveries::{
    Backlog, DeadLetter, DeadLetterQuery, DeliveryQueries, DeliverySummary, FilteredOut,
};
use crate::postgres::PostgresStore;
use crate::{Seq, StoreError, rows};

/// It counts in indexes of pending and of dead-lettered deliveries, never of delivered ones.
const BACKLOGS: &str = "SELECT name,
            (SELECT count(*) FROM deskbell.deliveries WHERE destination_id = destination.id),
            (SELECT count(*) FROM deskbell.settled_deliveries
             WHERE destination_id = destination.id AND state = 'dead_lettered'),
            (SELECT received_at_ms FROM deskbell.events WHERE seq =
                (SELECT min(seq) FROM deskbell.deliveries WHERE destination_id = destination.id))
     FROM deskbell.destinations AS destination ORDER BY name";

/// Destinations by name, in each the dead letters by `seq`, no more than are asked for.
const DEAD_LETTERS: &str = "SELECT destination.name, dead.*
     FROM deskbell.destinations AS destination
     CROSS JOIN LATERAL (
         SELECT seq, source, message_id, type, subject, settled_at_ms, attempts_total, reason
         FROM deskbell.settled_deliveries
         WHERE destination_id = destination.id AND state = 'dead_lettered'
             AND seq > CASE WHEN destination.name = $3 THEN $4 ELSE 0 END
             AND settled_at_ms >= coalesce($2, settled_at_ms)
         ORDER BY destination_id, seq LIMIT $5
     ) AS dead
     WHERE destination.name = coalesce($1, destination.name)
         AND destination.name >= coalesce($3, '')
     ORDER BY destination.name, dead.seq LIMIT $5";

/// One statement, so that none is seen in both places or in neither.
const DELIVERIES_OF: &str = "SELECT name, $1, 'pending',
            CASE WHEN NOT blocked THEN due_at_ms END, NULL::text
     FROM deskbell.destinations AS destination
     JOIN deskbell.deliveries AS pending
         ON pending.destination_id = destination.id AND pending.seq = $1
     UNION ALL
     SELECT name, $1, state, settled_at_ms, reason
     FROM deskbell.destinations AS destination
     JOIN deskbell.settled_deliveries AS settled
         ON settled.destination_id = destination.id AND settled.seq = $1
     ORDER BY 1";

const ATTEMPTS: &str = "SELECT name, number, started_at_ms, duration_ms, status, error, reply
     FROM deskbell.destinations AS destination
     JOIN deskbell.attempts AS made ON made.destination_id = destination.id AND made.seq = $1
     ORDER BY name, number";

const FILTERED_OUT: &str = "SELECT reason.key, reason.value
     FROM deskbell.unwanted_events, jsonb_each_text(reasons) AS reason
     WHERE seq = $1 ORDER BY reason.key COLLATE \"C\"";

#[async_trait]
impl DeliveryQueries for PostgresStore {
    async fn backlogs(&self) -> Result<Vec<Backlog>, StoreError> {
        let rows = sqlx::query(BACKLOGS).fetch_all(&*self.pools).await?;
        rows::each(&rows, rows::backlog)
    }

    async fn dead_letters(&self, query: &DeadLetterQuery) -> Result<Vec<DeadLetter>, StoreError> {
        let rows = sqlx::query(DEAD_LETTERS)
            .bind(query.destination.as_deref())
            .bind(query.since_ms)
            .bind(query.after.as_ref().map(|after| &*after.destination))
            .bind(query.after.as_ref().map(|after| after.seq.get()))
            .bind(i64::from(query.limit))
            .fetch_all(&*self.pools)
            .await?;
        rows::each(&rows, rows::dead_letter)
    }

    async fn deliveries_of(&self, seq: Seq) -> Result<Vec<DeliverySummary>, StoreError> {
        let deliveries = sqlx::query(DELIVERIES_OF).bind(seq.get()).fetch_all(&*self.pools).await?;
        let attempts = sqlx::query(ATTEMPTS).bind(seq.get()).fetch_all(&*self.pools).await?;
        Ok(rows::delivery_summaries(&deliveries, &attempts)?)
    }

    async fn filtered_out(&self, seq: Seq) -> Result<Vec<FilteredOut>, StoreError> {
        let rows = sqlx::query(FILTERED_OUT).bind(seq.get()).fetch_all(&*self.pools).await?;
        rows::each(&rows, rows::filtered_out)
    }
}
