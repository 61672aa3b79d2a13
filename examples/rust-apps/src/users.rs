//! `Users`: the table that Clerk's events fill, in SQLite.
//!
//! An event is applied in one transaction together with its message id, so that a message that is sent again changes nothing,
//! and one that was not stored is sent again. Events come late and out of order: a row changes only for a newer version of the
//! user, and a deleted user stays deleted.

use std::sync::{Arc, Mutex, PoisonError};

use clerk_webhooks::{Event, EventData, UnixMillis, payload};
use rusqlite::{Connection, OptionalExtension as _, Result, Transaction, params};

/// Message ids are kept for longer than Clerk's sender can replay a message, which is 90 days. This bounds the table.
const KEEP_MESSAGE_IDS_DAYS: i64 = 100;

const SCHEMA: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    CREATE TABLE IF NOT EXISTS messages (
        id TEXT PRIMARY KEY,
        received_at INTEGER NOT NULL DEFAULT (unixepoch())
    );
    CREATE INDEX IF NOT EXISTS messages_by_time ON messages (received_at);
    CREATE TABLE IF NOT EXISTS users (
        id TEXT PRIMARY KEY,
        email TEXT,
        name TEXT,
        version INTEGER NOT NULL,
        is_deleted INTEGER NOT NULL DEFAULT 0
    );
    CREATE TABLE IF NOT EXISTS welcome_emails (user_id TEXT NOT NULL);
";

/// A row is written only over an older version, and never over a deleted user.
const UPSERT: &str = "
    INSERT INTO users (id, email, name, version) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (id) DO UPDATE SET email = excluded.email, name = excluded.name, version = excluded.version
    WHERE excluded.version >= users.version AND NOT users.is_deleted
";

/// The row stays, without personal data, so that an event that comes late cannot bring the user back.
const DELETE: &str = "
    INSERT INTO users (id, version, is_deleted) VALUES (?1, ?2, 1)
    ON CONFLICT (id) DO UPDATE SET email = NULL, name = NULL, version = excluded.version, is_deleted = 1
";

/// The users, and the messages that were applied to them.
#[derive(Clone)]
pub struct Users(Arc<Mutex<Connection>>);

/// A user who exists.
#[derive(Debug)]
pub struct User {
    /// The primary email address.
    pub email: Option<String>,
    /// The full name. People who sign up by email have none.
    pub name: Option<String>,
}

/// What became of an event. Both are answered with 2xx.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// It is stored.
    Now,
    /// A message with its id was stored before.
    Before,
}

impl Users {
    /// Opens the database, and creates its tables.
    ///
    /// # Errors
    ///
    /// If SQLite cannot.
    pub fn open(path: &str) -> Result<Self> {
        let connection = Connection::open(path)?;
        connection.execute_batch(SCHEMA)?;
        Ok(Self(Arc::new(Mutex::new(connection))))
    }

    /// Applies an event that was verified. When it returns, the event is on disk. It waits for the disk: call it on a
    /// thread that may block.
    ///
    /// # Errors
    ///
    /// If it could not be stored. Answer 5xx, and Clerk's sender tries again.
    pub fn apply(&self, event: &Event) -> Result<Applied> {
        let mut connection = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let transaction = connection.transaction()?;
        if !is_new(&transaction, &event.id)? {
            return Ok(Applied::Before);
        }
        let occurred_at = event.occurred_at.as_millis();
        match &event.data {
            EventData::UserCreated(user) => {
                let is_newer = upsert(&transaction, user, occurred_at)?;
                // What must happen once is written in the same transaction, for a job that sends it. A user who
                // was deleted since is not welcomed.
                if is_newer {
                    transaction.execute("INSERT INTO welcome_emails VALUES (?1)", [&user.id])?;
                }
            }
            EventData::UserUpdated(user) => {
                upsert(&transaction, user, occurred_at)?;
            }
            EventData::UserDeleted(user) => {
                transaction.execute(DELETE, params![user.id, occurred_at])?;
            }
            // New types come without notice. They are answered with 2xx too.
            _ => {}
        }
        transaction.commit()?;
        Ok(Applied::Now)
    }

    /// The user, if an event of the user was applied and none deleted the user. Just after sign-up there may be none yet.
    ///
    /// # Errors
    ///
    /// If SQLite cannot read.
    pub fn find(&self, id: &str) -> Result<Option<User>> {
        let connection = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let query = "SELECT email, name FROM users WHERE id = ?1 AND NOT is_deleted";
        let read = |row: &rusqlite::Row<'_>| Ok(User { email: row.get(0)?, name: row.get(1)? });
        connection.query_row(query, [id], read).optional()
    }
}

/// Inserts the message id, and deletes those that are old enough.
fn is_new(transaction: &Transaction<'_>, id: &str) -> Result<bool> {
    let cutoff = "DELETE FROM messages WHERE received_at < unixepoch() - ?1 * 86400";
    transaction.execute(cutoff, [KEEP_MESSAGE_IDS_DAYS])?;
    let insert = "INSERT INTO messages (id) VALUES (?1) ON CONFLICT DO NOTHING";
    Ok(transaction.execute(insert, [id])? == 1)
}

/// Whether it is newer than what is there.
fn upsert(transaction: &Transaction<'_>, user: &payload::User, occurred_at: i64) -> Result<bool> {
    let version = user.updated_at.map_or(occurred_at, UnixMillis::as_millis);
    let (email, name) = (user.primary_email_address(), user.full_name());
    transaction.execute(UPSERT, params![user.id, email, name, version]).map(|rows| rows > 0)
}
