//! The index of whom events name, in a store whose people are to be erased when they are gone.

use sqlx::SqliteConnection;

use super::SqliteStore;
use super::deliveries::json;
use crate::upkeep::{indexed, people_in};
use crate::{LogId, NewEvent, Seq, StoreError};

/// The event that says that a user is gone.
const GONE: &str = "user.deleted";

impl SqliteStore {
    /// Indexes whom events name from here on, so that what is stored about a user can be erased;
    /// and what is deleted is overwritten in the file.
    ///
    /// # Errors
    /// The file could not be set to overwrite what is deleted.
    pub async fn index_people(mut self) -> Result<Self, StoreError> {
        if let Some(writer) = self.writer.lock().await.as_mut() {
            // From the beginning: a page that is split leaves copies of its rows behind otherwise.
            sqlx::query("PRAGMA secure_delete = ON").execute(&mut writer.connection).await?;
            writer.options = writer.options.clone().pragma("secure_delete", "ON");
        }
        self.indexes_people = true;
        Ok(self)
    }
}

/// Notes whom new events name, and who is gone, in the transaction that appends them.
pub(super) async fn index(
    connection: &mut SqliteConnection,
    log: LogId,
    fresh: &[(Seq, &NewEvent)],
) -> Result<(), sqlx::Error> {
    let named: Vec<(String, i64)> = fresh
        .iter()
        .flat_map(|(seq, event)| {
            people_in(&event.payload).into_iter().map(|person| (indexed(&person, log), seq.get()))
        })
        .collect();
    sqlx::query(
        "INSERT INTO event_people (person, seq)
         SELECT value ->> 0, value ->> 1 FROM json_each(?1)",
    )
    .bind(json(&named)?)
    .execute(&mut *connection)
    .await?;
    let gone: Vec<(i64, &str)> = fresh
        .iter()
        .filter(|(_, event)| event.event_type == GONE)
        .filter_map(|(seq, event)| Some((seq.get(), event.subject.as_deref()?)))
        .collect();
    if !gone.is_empty() {
        sqlx::query(
            "INSERT INTO erasures (seq, user) SELECT value ->> 0, value ->> 1 FROM json_each(?1)",
        )
        .bind(json(&gone)?)
        .execute(connection)
        .await?;
    }
    Ok(())
}
