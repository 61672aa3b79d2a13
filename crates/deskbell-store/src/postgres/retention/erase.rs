//! Erasure of what is stored about deleted users.

use crate::postgres::PooledConnection;
use crate::postgres::append::text;
use crate::retention::{DeletedUser, Erasable, EraseOptions, Erased, References};
use crate::{LogId, Seq};

/// Deleted users whom some event still names. All of them may be read: they are as many
/// as were deleted within the retention of events.
const DELETED_USERS: &str = "SELECT \"user\", source, instance_id FROM deskbell.gone_v1($1, $2)";

const IS_DELETED: &str = "SELECT deskbell.is_gone_v1($1, $2, $3, $4)";

/// How far every one of these destinations has come.
const ROUTED: &str = "SELECT min(routed_seq) FROM deskbell.destinations WHERE name = ANY ($1)";

const NAMING: &str = "SELECT named.seq, named.message_id, named.is_owed, named.payload,
            named.payload_bytes
     FROM deskbell.naming_v2($1, $2) AS named
     WHERE deskbell.is_of_v1(named.seq, $3, $4)";
const INVITING: &str = "SELECT named.seq, named.message_id, named.is_owed
     FROM deskbell.inviting_v1($1, $2) AS named
     WHERE deskbell.is_of_v1(named.seq, $3, $4)";
const ERASE: &str = "SELECT deskbell.erase_v1($1, $2, $3, $4, $5)";

pub(super) async fn erasable(
    connection: &mut PooledConnection,
    log: LogId,
    erasing: &EraseOptions,
) -> Result<Vec<Erasable>, sqlx::Error> {
    let read_by_all = read_by_all(connection, erasing).await?;
    let users: Vec<(String, String, Option<String>)> = sqlx::query_as(DELETED_USERS)
        .bind(read_by_all)
        .bind(i64::from(erasing.rows_max))
        .fetch_all(&mut *connection)
        .await?;
    let mut erasable = Vec::new();
    for (user_id, source, instance_id) in users {
        let user = DeletedUser { user_id, source, instance_id };
        let references = references(connection, log, erasing, &user).await?;
        if references.can_erase(read_by_all) {
            erasable.push(Erasable { user, message_ids: references.into_message_ids() });
        }
    }
    Ok(erasable)
}

/// Checks first, and the function checks again what it has locked.
pub(super) async fn erase(
    connection: &mut PooledConnection,
    log: LogId,
    erasing: &EraseOptions,
    user: &DeletedUser,
    manual_ms: Option<i64>,
) -> Result<Erased, sqlx::Error> {
    let read_by_all = read_by_all(connection, erasing).await?;
    let is_deleted: bool = sqlx::query_scalar(IS_DELETED)
        .bind(text(&user.user_id))
        .bind(read_by_all)
        .bind(&user.source)
        .bind(&user.instance_id)
        .fetch_one(&mut *connection)
        .await?;
    let references = references(connection, log, erasing, user).await?;
    if !is_deleted || !references.can_erase(read_by_all) {
        return Ok(Erased::default());
    }
    let seqs = references.seqs();
    let events: i32 = sqlx::query_scalar(ERASE)
        .bind(manual_ms)
        .bind(&erasing.destinations)
        .bind(text(&user.user_id))
        .bind(&seqs)
        .bind(i32::try_from(erasing.rows_max).unwrap_or(i32::MAX))
        .fetch_one(connection)
        .await?;
    let events = usize::try_from(events).unwrap_or(0);
    Ok(Erased { events: events as u64, more: events > 0 && seqs.len() > events })
}

/// The last event that everybody has read, whatever is pending for them.
async fn read_by_all(
    connection: &mut PooledConnection,
    erasing: &EraseOptions,
) -> Result<i64, sqlx::Error> {
    let routed: Option<i64> =
        sqlx::query_scalar(ROUTED).bind(&erasing.destinations).fetch_one(connection).await?;
    let external = erasing.external_checkpoint.map(Seq::get);
    Ok(routed.into_iter().chain(external).min().unwrap_or(i64::MAX))
}

/// The events that name the user, or an invitation to an address of theirs, by `seq`: those of the
/// same source and instance.
async fn references(
    connection: &mut PooledConnection,
    log: LogId,
    erasing: &EraseOptions,
    user: &DeletedUser,
) -> Result<References, sqlx::Error> {
    let destinations = &erasing.destinations;
    let rows = sqlx::query(NAMING)
        .bind(text(&user.user_id))
        .bind(destinations)
        .bind(&user.source)
        .bind(&user.instance_id)
        .fetch_all(&mut *connection)
        .await?;
    let mut references = References::default();
    for row in &rows {
        references.add_with_payload(row, log)?;
    }
    let addresses: Vec<_> = references.addresses.iter().cloned().collect();
    let inviting = sqlx::query(INVITING)
        .bind(addresses)
        .bind(destinations)
        .bind(&user.source)
        .bind(&user.instance_id);
    for row in &inviting.fetch_all(connection).await? {
        references.add(row)?;
    }
    Ok(references)
}
