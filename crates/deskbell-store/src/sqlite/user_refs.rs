//! The index of user references, for a store that erases deleted users.

use sqlx::SqliteConnection;

use super::SqliteStore;
use super::json::json;
use crate::retention::{index_key, user_refs_in};
use crate::{LogId, NewEvent, Seq, StoreError};

/// The event of a deleted user.
const USER_DELETED: &str = "user.deleted";

impl SqliteStore {
    /// Indexes user references from now on, so that what is stored about a user can be erased;
    /// and what is deleted is overwritten in the file.
    ///
    /// # Errors
    /// The file could not be set to overwrite what is deleted.
    pub async fn index_user_refs(mut self) -> Result<Self, StoreError> {
        if let Some(writer) = self.writer.lock().await.as_mut() {
            // From the beginning: a page that is split leaves copies of its rows behind otherwise.
            sqlx::query("PRAGMA secure_delete = ON").execute(&mut writer.connection).await?;
            writer.options = writer.options.clone().pragma("secure_delete", "ON");
        }
        self.indexes_user_refs = true;
        Ok(self)
    }
}

/// Indexes the references of new events, and deleted users, in the transaction that appends them.
pub(super) async fn index(
    connection: &mut SqliteConnection,
    log: LogId,
    fresh: &[(Seq, &NewEvent)],
) -> Result<(), sqlx::Error> {
    let named: Vec<(String, i64)> = fresh
        .iter()
        .flat_map(|(seq, event)| {
            user_refs_in(&event.payload)
                .into_iter()
                .map(|user_ref| (index_key(&user_ref, log), seq.get()))
        })
        .collect();
    sqlx::query(
        "INSERT INTO event_people (person, seq)
         SELECT value ->> 0, value ->> 1 FROM json_each(?1)",
    )
    .bind(json(&named)?)
    .execute(&mut *connection)
    .await?;
    let deleted: Vec<(i64, &str)> = fresh
        .iter()
        .filter(|(_, event)| event.event_type == USER_DELETED && event.origin.is_message())
        .filter_map(|(seq, event)| Some((seq.get(), event.subject.as_deref()?)))
        .collect();
    if !deleted.is_empty() {
        sqlx::query(
            "INSERT INTO erasures (seq, user) SELECT value ->> 0, value ->> 1 FROM json_each(?1)",
        )
        .bind(json(&deleted)?)
        .execute(connection)
        .await?;
    }
    Ok(())
}
