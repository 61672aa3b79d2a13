//! The append: one call of a function in the database, which is one transaction and one round trip.

use std::borrow::Cow;
use std::time::Duration;

use sqlx::Row;

use super::pooled_connection::PooledConnection;
use super::user_refs;
use crate::{Appended, LogId, NewEvent, Seq};

const APPEND: &str = "SELECT places, fresh, waited_us
     FROM deskbell.append_v3($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";

/// How a batch is written.
#[derive(Debug, Clone, Copy)]
pub(super) struct AppendOptions {
    /// The time, where the clock is a manual one.
    pub(super) manual_ms: Option<i64>,
    /// The log in which user references are indexed, if they are.
    pub(super) user_refs_of: Option<LogId>,
    /// Whether every replica can read a compressed payload.
    pub(super) packs: bool,
}

/// What came of a batch.
#[derive(Debug)]
pub(super) struct AppendedBatch {
    pub(super) events: Vec<Appended>,
    /// How long another replica's append was waited for.
    pub(super) waited: Duration,
}

/// Appends the batch and returns when it is on disk.
pub(super) async fn append<'a>(
    connection: &mut PooledConnection,
    batch: &'a [NewEvent],
    options: AppendOptions,
) -> Result<AppendedBatch, sqlx::Error> {
    let stored = |event: &'a NewEvent| {
        let packed = options.packs.then(|| event.payload.packed()).flatten();
        let (stored, payload_bytes) = packed.unzip();
        (stored.unwrap_or(&event.payload), payload_bytes)
    };
    let (payloads, lengths): (Vec<&[u8]>, Vec<_>) = batch.iter().map(stored).unzip();
    let (refs, numbers) = options.user_refs_of.map(|log| user_refs::named(batch, log)).unzip();
    let has_origins = batch.iter().any(|event| event.origin.stored().is_some());
    let query = sqlx::query(APPEND)
        .bind(options.manual_ms)
        .bind(column(batch, |event| text(&event.source)))
        .bind(column(batch, |event| text(&event.message_id)))
        .bind(column(batch, |event| text(&event.event_type)))
        .bind(column(batch, |event| event.subject.as_deref().map(text)))
        .bind(column(batch, |event| event.occurred_at_ms))
        .bind(column(batch, |event| event.instance_id.as_deref().map(text)))
        .bind(payloads)
        .bind(lengths)
        .bind(refs)
        .bind(numbers)
        .bind(has_origins.then(|| column(batch, |event| event.origin.stored())));
    let row = query.fetch_one(connection).await?;
    let (places, fresh): (Vec<i64>, Vec<bool>) = (row.try_get(0)?, row.try_get(1)?);
    let appended = |(seq, is_new)| {
        let seq = Seq::new(seq);
        if is_new { Appended::New(seq) } else { Appended::Duplicate(seq) }
    };
    Ok(AppendedBatch {
        events: places.into_iter().zip(fresh).map(appended).collect(),
        waited: Duration::from_micros(u64::try_from(row.try_get::<i64, _>(2)?).unwrap_or(0)),
    })
}

fn column<'a, T>(batch: &'a [NewEvent], of: impl Fn(&'a NewEvent) -> T) -> Vec<T> {
    batch.iter().map(of).collect()
}

/// PostgreSQL's texts hold no NUL, and an event is not refused for one in its type or its subject,
/// nor the others in its batch.
pub(super) fn text(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { text.replace('\0', "\u{fffd}").into() } else { text.into() }
}
