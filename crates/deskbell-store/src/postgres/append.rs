//! The append: one call of a function in the database, which is one transaction and one round trip.

use std::borrow::Cow;

use sqlx::Row;

use super::pooled_connection::PooledConnection;
use super::user_refs;
use crate::{Appended, LogId, NewEvent, Seq};

const APPEND: &str = "SELECT places, fresh FROM deskbell.append_v1($1, $2, $3, $4, $5, $6, $7, $8)";
const APPEND_NAMING: &str = "SELECT places, fresh
     FROM deskbell.append_naming_v1($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";

const APPEND_WITH_ORIGINS: &str = "SELECT places, fresh
     FROM deskbell.append_with_origins_v2($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";

/// Appends the batch and returns when it is on disk; with its user references, if they are indexed
/// in this log.
pub(super) async fn append(
    connection: &mut PooledConnection,
    batch: &[NewEvent],
    manual_ms: Option<i64>,
    user_refs_of: Option<LogId>,
) -> Result<Vec<Appended>, sqlx::Error> {
    let has_origins = batch.iter().any(|event| event.origin.stored().is_some());
    let mut query = sqlx::query(match user_refs_of {
        _ if has_origins => APPEND_WITH_ORIGINS,
        Some(_) => APPEND_NAMING,
        None => APPEND,
    })
    .bind(manual_ms)
    .bind(column(batch, |event| text(&event.source)))
    .bind(column(batch, |event| text(&event.message_id)))
    .bind(column(batch, |event| text(&event.event_type)))
    .bind(column(batch, |event| event.subject.as_deref().map(text)))
    .bind(column(batch, |event| event.occurred_at_ms))
    .bind(column(batch, |event| event.instance_id.as_deref().map(text)))
    .bind(column(batch, |event| &*event.payload));
    if let Some(log) = user_refs_of {
        let (refs, numbers) = user_refs::named(batch, log);
        query = query.bind(refs).bind(numbers);
    } else if has_origins {
        query = query.bind(None::<Vec<String>>).bind(None::<Vec<i32>>);
    }
    if has_origins {
        query = query.bind(column(batch, |event| event.origin.stored()));
    }
    let row = query.fetch_one(connection).await?;
    let (places, fresh): (Vec<i64>, Vec<bool>) = (row.try_get(0)?, row.try_get(1)?);
    let appended = |(seq, is_new)| {
        let seq = Seq::new(seq);
        if is_new { Appended::New(seq) } else { Appended::Duplicate(seq) }
    };
    Ok(places.into_iter().zip(fresh).map(appended).collect())
}

fn column<'a, T>(batch: &'a [NewEvent], of: impl Fn(&'a NewEvent) -> T) -> Vec<T> {
    batch.iter().map(of).collect()
}

/// PostgreSQL's texts hold no NUL, and an event is not refused for one in its type or its subject,
/// nor the others in its batch.
pub(super) fn text(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { text.replace('\0', "\u{fffd}").into() } else { text.into() }
}
