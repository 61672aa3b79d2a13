//! Erasure of what is stored about users who are gone.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::Row;

use crate::postgres::Session;
use crate::postgres::append::text;
use crate::upkeep::{Erasable, Erased, Erasing, Gone, index_key, is_address, user_refs_in};
use crate::{LogId, Seq};

/// Users who are gone, and whom some event still names. All of them may be read: they are as many
/// as were deleted within the retention of events.
const GONE: &str = "SELECT \"user\", source, instance_id FROM deskbell.gone_v1($1, $2)";

const IS_GONE: &str = "SELECT deskbell.is_gone_v1($1, $2, $3, $4)";

/// How far every one of these destinations has come.
const ROUTED: &str = "SELECT min(routed_seq) FROM deskbell.destinations WHERE name = ANY ($1)";

const NAMING: &str = "SELECT named.seq, named.message_id, named.is_owed, named.payload
     FROM deskbell.naming_v1($1, $2) AS named
     WHERE deskbell.is_of_v1(named.seq, $3, $4)";
const INVITING: &str = "SELECT named.seq, named.message_id, named.is_owed
     FROM deskbell.inviting_v1($1, $2) AS named
     WHERE deskbell.is_of_v1(named.seq, $3, $4)";
const ERASE: &str = "SELECT deskbell.erase_v1($1, $2, $3, $4, $5)";

/// An event that names the user.
struct Naming {
    message_id: String,
    is_owed: bool,
}

pub(super) async fn erasable(
    connection: &mut Session,
    log: LogId,
    erasing: &Erasing,
) -> Result<Vec<Erasable>, sqlx::Error> {
    let passed = passed(connection, erasing).await?;
    let users: Vec<(String, String, Option<String>)> = sqlx::query_as(GONE)
        .bind(passed)
        .bind(i64::from(erasing.rows_max))
        .fetch_all(&mut *connection)
        .await?;
    let mut erasable = Vec::new();
    for (user, source, instance_id) in users {
        let gone = Gone { user, source, instance_id };
        let naming = naming(connection, log, erasing, &gone).await?;
        if can_go(&naming, passed) {
            let message_ids = naming.into_values().map(|event| event.message_id).collect();
            erasable.push(Erasable { gone, message_ids });
        }
    }
    Ok(erasable)
}

/// The look comes first, and the function looks again at what it has locked.
pub(super) async fn erase(
    connection: &mut Session,
    log: LogId,
    erasing: &Erasing,
    gone: &Gone,
    manual_ms: Option<i64>,
) -> Result<Erased, sqlx::Error> {
    let passed = passed(connection, erasing).await?;
    let is_gone: bool = sqlx::query_scalar(IS_GONE)
        .bind(text(&gone.user))
        .bind(passed)
        .bind(&gone.source)
        .bind(&gone.instance_id)
        .fetch_one(&mut *connection)
        .await?;
    let naming = naming(connection, log, erasing, gone).await?;
    if !is_gone || !can_go(&naming, passed) {
        return Ok(Erased::default());
    }
    let seqs: Vec<i64> = naming.into_keys().collect();
    let events: i32 = sqlx::query_scalar(ERASE)
        .bind(manual_ms)
        .bind(&erasing.destinations)
        .bind(text(&gone.user))
        .bind(&seqs)
        .bind(i32::try_from(erasing.rows_max).unwrap_or(i32::MAX))
        .fetch_one(connection)
        .await?;
    let events = usize::try_from(events).unwrap_or(0);
    Ok(Erased { events: events as u64, more: events > 0 && seqs.len() > events })
}

/// The last event that everybody has read, whatever is owed to them.
async fn passed(connection: &mut Session, erasing: &Erasing) -> Result<i64, sqlx::Error> {
    let routed: Option<i64> =
        sqlx::query_scalar(ROUTED).bind(&erasing.destinations).fetch_one(connection).await?;
    let outside = erasing.keep_behind.map(Seq::get);
    Ok(routed.into_iter().chain(outside).min().unwrap_or(i64::MAX))
}

/// Whether everybody has had all of these.
fn can_go(naming: &BTreeMap<i64, Naming>, passed: i64) -> bool {
    naming.iter().all(|(seq, event)| *seq <= passed && !event.is_owed)
}

/// The events that name the user, or an invitation to an address of theirs, by `seq`: those of the
/// same source and instance.
async fn naming(
    connection: &mut Session,
    log: LogId,
    erasing: &Erasing,
    gone: &Gone,
) -> Result<BTreeMap<i64, Naming>, sqlx::Error> {
    let destinations = &erasing.destinations;
    let rows = sqlx::query(NAMING)
        .bind(text(&gone.user))
        .bind(destinations)
        .bind(&gone.source)
        .bind(&gone.instance_id)
        .fetch_all(&mut *connection)
        .await?;
    let mut naming = BTreeMap::new();
    let mut addresses = BTreeSet::new();
    for row in &rows {
        if let Some(payload) = row.try_get::<Option<&[u8]>, _>(3)? {
            let named = user_refs_in(payload).into_iter().filter(|user_ref| is_address(user_ref));
            addresses.extend(named.map(|address| index_key(&address, log)));
        }
        naming.insert(
            row.try_get(0)?,
            Naming { message_id: row.try_get(1)?, is_owed: row.try_get(2)? },
        );
    }
    let addresses: Vec<_> = addresses.into_iter().collect();
    let inviting = sqlx::query(INVITING)
        .bind(addresses)
        .bind(destinations)
        .bind(&gone.source)
        .bind(&gone.instance_id);
    for row in inviting.fetch_all(connection).await? {
        naming.insert(
            row.try_get(0)?,
            Naming { message_id: row.try_get(1)?, is_owed: row.try_get(2)? },
        );
    }
    Ok(naming)
}
