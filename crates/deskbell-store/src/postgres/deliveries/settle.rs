//! Settling: attempts are stored, settled deliveries move to their own table, the rest is due later.

use std::borrow::Cow;
use std::collections::HashSet;

use sqlx::Row;

use crate::clock::whole_ms;
use crate::deliveries::{AttemptRecord, REPLY_BYTES_MAX, Settlement, Verdict};
use crate::postgres::append::text;
use crate::postgres::pools::Pools;

const SETTLE: &str =
    "SELECT * FROM deskbell.settle_v1($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";

pub(super) struct Settled {
    /// How many claims had been lost.
    pub(super) lost: u64,
    /// Whether something may be due that was not before.
    pub(super) wakes: bool,
}

pub(super) async fn settle(
    pools: &Pools,
    destination: &str,
    settlements: &[Settlement],
    manual_ms: Option<i64>,
) -> Result<Settled, sqlx::Error> {
    let given = once_each(settlements);
    let column = Column(&given);
    let row = sqlx::query(SETTLE)
        .bind(manual_ms)
        .bind(destination)
        .bind(column.of(|one| one.claim.seq.get()))
        .bind(column.of(|one| one.claim.number))
        .bind(column.of(|one| retry_after_ms(&one.verdict)))
        .bind(column.of(|one| reason(&one.verdict)))
        .bind(column.of_attempts(|made| Some(whole_ms(made.ago))))
        .bind(column.of_attempts(|made| Some(whole_ms(made.duration))))
        .bind(column.of_attempts(|made| made.status.map(i32::from)))
        .bind(column.of_attempts(|made| made.error.as_deref().map(text)))
        .bind(column.of_attempts(reply))
        .fetch_one(pools)
        .await?;
    let settled = u64::try_from(row.try_get::<i64, _>("settled")?).unwrap_or(0);
    let retries = given.iter().any(|one| matches!(one.verdict, Verdict::Retry(_)));
    let ordered: Option<bool> = row.try_get("is_ordered")?;
    Ok(Settled {
        lost: (settlements.len() as u64).saturating_sub(settled),
        wakes: settled > 0 && (retries || ordered == Some(true)),
    })
}

/// The first settlement of each claim, in the order of the log: that is how rows are locked.
fn once_each(settlements: &[Settlement]) -> Vec<&Settlement> {
    let mut seen = HashSet::with_capacity(settlements.len());
    let mut given: Vec<_> = settlements.iter().filter(|one| seen.insert(one.claim)).collect();
    given.sort_unstable_by_key(|one| one.claim.seq);
    given
}

/// One value of each settlement, as the statement takes them.
struct Column<'a>(&'a [&'a Settlement]);

impl<'a> Column<'a> {
    fn of<T>(&self, value: impl Fn(&'a Settlement) -> T) -> Vec<T> {
        self.0.iter().map(|one| value(one)).collect()
    }

    fn of_attempts<T>(&self, value: impl Fn(&'a AttemptRecord) -> Option<T>) -> Vec<Option<T>> {
        self.of(|one| one.attempt.as_ref().and_then(&value))
    }
}

fn retry_after_ms(verdict: &Verdict) -> Option<i64> {
    match verdict {
        Verdict::Retry(after) => Some(whole_ms(*after)),
        Verdict::Delivered | Verdict::DeadLetter(_) => None,
    }
}

fn reason(verdict: &Verdict) -> Option<Cow<'_, str>> {
    match verdict {
        Verdict::DeadLetter(reason) => Some(text(reason)),
        Verdict::Delivered | Verdict::Retry(_) => None,
    }
}

fn reply(made: &AttemptRecord) -> Option<&[u8]> {
    let kept = &made.reply[..made.reply.len().min(REPLY_BYTES_MAX)];
    (!kept.is_empty()).then_some(kept)
}
