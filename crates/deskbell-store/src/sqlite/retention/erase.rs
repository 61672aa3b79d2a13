//! Erasure of what is stored about deleted users.

use sqlx::{Connection, Row, SqliteConnection, SqlitePool};

use super::blockers::read_by_all;
use crate::LogId;
use crate::retention::{DeletedUser, Erasable, EraseOptions, Erased, References};
use crate::sqlite::deliveries::{Pending, dead_letter_others};
use crate::sqlite::json::json;

/// Deleted users whom some event still names. All of them may be read: they are as many
/// as were deleted within the retention of events.
const DELETED_USERS: &str = "SELECT gone.user, said.source, said.instance_id
     FROM erasures AS gone CROSS JOIN events AS said ON said.seq = gone.seq
     WHERE gone.seq <= ?1 AND EXISTS (
         SELECT 1 FROM event_people AS named CROSS JOIN events AS event ON event.seq = named.seq
         WHERE named.person = gone.user AND event.source = said.source
             AND (event.instance_id IS NULL OR said.instance_id IS NULL
                 OR event.instance_id = said.instance_id))
     GROUP BY gone.user, said.source, said.instance_id ORDER BY min(gone.seq) LIMIT ?2";

const IS_DELETED: &str = "SELECT EXISTS (
         SELECT 1 FROM erasures AS gone CROSS JOIN events AS said ON said.seq = gone.seq
         WHERE gone.user = ?1 AND gone.seq <= ?2
             AND said.source = ?3 AND said.instance_id IS ?4)";

/// The events that name a user, whether it is pending for an enabled destination, and the payload
/// of those about the user, which know the user's addresses.
const NAMING: &str = "SELECT event.seq, event.message_id,
            EXISTS (SELECT 1 FROM destinations AS destination
                CROSS JOIN deliveries AS pending
                    ON pending.destination_id = destination.id AND pending.seq = event.seq
                WHERE destination.name IN (SELECT value FROM json_each(?2))),
            iif(event.subject = ?1 AND event.type LIKE 'user.%', event.payload, NULL),
            event.payload_bytes
     FROM event_people AS named CROSS JOIN events AS event ON event.seq = named.seq
     WHERE named.person = ?1 AND event.source = ?3
         AND (event.instance_id IS NULL OR ?4 IS NULL OR event.instance_id = ?4)
     ORDER BY event.seq";

/// Events that are about somebody by an email address alone. Another user may have the same one,
/// whose own events stay.
const INVITING: &str = "SELECT DISTINCT event.seq, event.message_id,
            EXISTS (SELECT 1 FROM destinations AS destination
                CROSS JOIN deliveries AS pending
                    ON pending.destination_id = destination.id AND pending.seq = event.seq
                WHERE destination.name IN (SELECT value FROM json_each(?2)))
     FROM json_each(?1) AS address
     CROSS JOIN event_people AS named ON named.person = address.value
     CROSS JOIN events AS event ON event.seq = named.seq
     WHERE (event.type LIKE 'invitation.%' OR event.type LIKE 'organizationInvitation.%'
         OR event.type LIKE 'waitlistEntry.%' OR event.type LIKE 'email.%')
         AND event.source = ?3
         AND (event.instance_id IS NULL OR ?4 IS NULL OR event.instance_id = ?4)";

/// Statements with the list of events as their parameter.
const ERASE: [&str; 5] = [
    "UPDATE events SET payload = x'' WHERE seq IN (SELECT value FROM json_each(?1))",
    "UPDATE attempts SET reply = NULL, error = iif(error IS NULL, NULL, 'erased')
     WHERE seq IN (SELECT value FROM json_each(?1))",
    "UPDATE settled_deliveries SET reason = 'erased' WHERE reason IS NOT NULL
         AND (destination_id, seq) IN (SELECT destination.id, gone.value
             FROM json_each(?1) AS gone CROSS JOIN destinations AS destination)",
    "DELETE FROM unwanted_events WHERE seq IN (SELECT value FROM json_each(?1))",
    "DELETE FROM event_people WHERE seq IN (SELECT value FROM json_each(?1))",
];

pub(super) async fn erasable(
    readers: &SqlitePool,
    log: LogId,
    erasing: &EraseOptions,
) -> Result<Vec<Erasable>, sqlx::Error> {
    let mut reader = readers.acquire().await?;
    let read_by_all = read_by_all(&mut reader, erasing).await?;
    let users: Vec<(String, String, Option<String>)> = sqlx::query_as(DELETED_USERS)
        .bind(read_by_all)
        .bind(erasing.rows_max)
        .fetch_all(&mut *reader)
        .await?;
    let mut erasable = Vec::new();
    for (user_id, source, instance_id) in users {
        let user = DeletedUser { user_id, source, instance_id };
        let references = references(&mut reader, log, erasing, &user).await?;
        if references.can_erase(read_by_all) {
            erasable.push(Erasable { user, message_ids: references.into_message_ids() });
        }
    }
    Ok(erasable)
}

pub(super) async fn erase(
    connection: &mut SqliteConnection,
    log: LogId,
    erasing: &EraseOptions,
    user: &DeletedUser,
    now_ms: i64,
) -> Result<Erased, sqlx::Error> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let read_by_all = read_by_all(&mut transaction, erasing).await?;
    let is_deleted: bool = sqlx::query_scalar(IS_DELETED)
        .bind(&user.user_id)
        .bind(read_by_all)
        .bind(&user.source)
        .bind(&user.instance_id)
        .fetch_one(&mut *transaction)
        .await?;
    let references = references(&mut transaction, log, erasing, user).await?;
    if !is_deleted || !references.can_erase(read_by_all) {
        transaction.rollback().await?;
        return Ok(Erased::default());
    }
    let mut seqs = references.seqs();
    // Those found by an address are the user's from here on: what knew the address may go first.
    index(&mut transaction, &user.user_id, &seqs).await?;
    let more = seqs.len() > erasing.rows_max as usize;
    seqs.truncate(erasing.rows_max as usize);
    let pending = Pending::At(&seqs);
    dead_letter_others(&mut transaction, &erasing.destinations, pending, now_ms).await?;
    let listed = json(&seqs)?;
    for sql in ERASE {
        sqlx::query(sql).bind(&listed).execute(&mut *transaction).await?;
    }
    transaction.commit().await?;
    Ok(Erased { events: u64::try_from(seqs.len()).unwrap_or(u64::MAX), more })
}

async fn references(
    connection: &mut SqliteConnection,
    log: LogId,
    erasing: &EraseOptions,
    user: &DeletedUser,
) -> Result<References, sqlx::Error> {
    let destinations = json(&erasing.destinations)?;
    let rows = sqlx::query(NAMING)
        .bind(&user.user_id)
        .bind(&destinations)
        .bind(&user.source)
        .bind(&user.instance_id)
        .fetch_all(&mut *connection)
        .await?;
    let mut references = References::default();
    for row in &rows {
        references.add_with_payload(row, log)?;
    }
    let inviting = sqlx::query(INVITING)
        .bind(json(&references.addresses)?)
        .bind(destinations)
        .bind(&user.source)
        .bind(&user.instance_id);
    for row in &inviting.fetch_all(connection).await? {
        references.add(row)?;
    }
    Ok(references)
}

async fn index(
    connection: &mut SqliteConnection,
    user: &str,
    seqs: &[i64],
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO event_people (person, seq) SELECT ?1, value FROM json_each(?2) WHERE true
         ON CONFLICT DO NOTHING",
    )
    .bind(user)
    .bind(json(seqs)?)
    .execute(connection)
    .await?;
    Ok(())
}

/// Copies the write-ahead log into the database and empties it. While somebody reads the older
/// state that cannot be done, and appends are not kept waiting for it.
pub(super) async fn scrub(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    sqlx::query("PRAGMA busy_timeout = 20").execute(&mut *connection).await?;
    let row = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(&mut *connection).await;
    let default_ms = crate::sqlite::open::BUSY_TIMEOUT.as_millis();
    let reset = format!("PRAGMA busy_timeout = {default_ms}");
    sqlx::query(sqlx::AssertSqlSafe(reset)).execute(&mut *connection).await?;
    let busy: i64 = row?.try_get(0)?;
    Ok(busy == 0)
}
