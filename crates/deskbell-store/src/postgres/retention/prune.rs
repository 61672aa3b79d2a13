//! Pruning: one call of a function in the database.

use std::time::Duration;

use sqlx::Row;
use sqlx::postgres::PgRow;

use crate::Seq;
use crate::clock::whole_ms;
use crate::postgres::pools::Pools;
use crate::retention::{BlockedBy, PruneOptions, Pruned, RetentionBlocker};

const PRUNE: &str = "SELECT * FROM deskbell.prune_v1($1, $2, $3, $4, $5, $6, $7, $8, $9)";

pub(super) async fn prune(
    pools: &Pools,
    pruning: &PruneOptions,
    manual_ms: Option<i64>,
) -> Result<Pruned, sqlx::Error> {
    let row = sqlx::query(PRUNE)
        .bind(manual_ms)
        .bind(&pruning.destinations)
        .bind(pruning.external_checkpoint.map(last_seq))
        .bind(age_ms(pruning.payloads))
        .bind(age_ms(pruning.events.max(pruning.payloads)))
        .bind(age_ms(pruning.one_time_codes))
        .bind(age_ms(pruning.attempts))
        .bind(age_ms(pruning.commands))
        .bind(i64::from(pruning.rows_max))
        .fetch_one(pools)
        .await?;
    Ok(Pruned {
        payloads: count(&row, "payloads_emptied")?,
        events: count(&row, "events_deleted")?,
        attempts: count(&row, "attempts_deleted")?,
        commands: count(&row, "orders_deleted")?,
        dead_lettered: count(&row, "given_up")?,
        more: row.try_get("more")?,
        blockers: blockers(&row)?,
    })
}

/// One that another can follow.
fn last_seq(seq: Seq) -> i64 {
    seq.get().min(i64::MAX - 1)
}

/// One that can be taken off any time.
fn age_ms(age: Duration) -> i64 {
    whole_ms(age).min(i64::MAX / 2)
}

fn count(row: &PgRow, column: &str) -> Result<u64, sqlx::Error> {
    Ok(u64::try_from(row.try_get::<i64, _>(column)?).unwrap_or(0))
}

fn blockers(row: &PgRow) -> Result<Vec<RetentionBlocker>, sqlx::Error> {
    let holders: Option<Vec<Option<String>>> = row.try_get("holders")?;
    let Some(holders) = holders else { return Ok(Vec::new()) };
    let kinds: Vec<String> = row.try_get("kinds")?;
    let seqs: Vec<i64> = row.try_get("seqs")?;
    let since_ms: Vec<i64> = row.try_get("since_ms")?;
    let rows = holders.into_iter().zip(kinds).zip(seqs).zip(since_ms);
    Ok(rows
        .map(|(((name, kind), seq), since_ms)| {
            let by = match (name, &*kind) {
                (Some(name), "checkpoint") => BlockedBy::Checkpoint(name.into()),
                (Some(name), _) => BlockedBy::Delivery(name.into()),
                (None, _) => BlockedBy::External,
            };
            RetentionBlocker { by, seq: Seq::new(seq), since_ms }
        })
        .collect())
}
