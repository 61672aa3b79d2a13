//! The store's tables, as steps that only grow. `user_version` counts the steps that were taken.

use sqlx::{Connection, SqliteConnection};

use crate::LogId;

/// Marks the file as a Deskbell store ("DESK").
pub(super) const APPLICATION_ID: i64 = 0x4445_534b;

const STEPS: &[&str] = &[
    include_str!("migrations/0001_event_log.sql"),
    include_str!("migrations/0002_deliveries.sql"),
    include_str!("migrations/0003_upkeep.sql"),
    include_str!("migrations/0004_subjects.sql"),
    include_str!("migrations/0005_consumer_reports.sql"),
    include_str!("migrations/0006_source_instances.sql"),
    include_str!("migrations/0007_refused_requests.sql"),
    include_str!("migrations/0008_failed_attempts.sql"),
    include_str!("migrations/0009_access_tokens.sql"),
    include_str!("migrations/0010_origins.sql"),
    include_str!("migrations/0011_audit_log.sql"),
    include_str!("migrations/0012_browser_sessions.sql"),
    include_str!("migrations/0013_endpoints.sql"),
    include_str!("migrations/0014_command_progress.sql"),
    include_str!("migrations/0015_paused_mirrors.sql"),
    include_str!("migrations/0016_packed_payloads.sql"),
];

/// The schema version that this program writes.
pub(super) const VERSION: usize = STEPS.len();

/// Takes the steps from `version` on, each in a transaction of its own.
pub(super) async fn migrate(
    connection: &mut SqliteConnection,
    version: usize,
) -> Result<(), sqlx::Error> {
    take(connection, STEPS.iter().enumerate().skip(version)).await
}

async fn take(
    connection: &mut SqliteConnection,
    steps: impl Iterator<Item = (usize, &&'static str)>,
) -> Result<(), sqlx::Error> {
    for (done, step) in steps {
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        sqlx::raw_sql(*step).execute(&mut *transaction).await?;
        if done == 0 {
            sqlx::query("INSERT INTO log (log_id) VALUES (?1)")
                .bind(LogId::random().to_string())
                .execute(&mut *transaction)
                .await?;
        }
        let mark = format!(
            "PRAGMA user_version = {}; PRAGMA application_id = {APPLICATION_ID};",
            done + 1
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(mark)).execute(&mut *transaction).await?;
        transaction.commit().await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use sqlx::ConnectOptions;
    use sqlx::sqlite::SqliteConnectOptions;

    use super::*;
    use crate::{Appended, EventLog, NewEvent, ReadLimit, Seq, SqliteStore};

    /// The version of the release before payloads were compressed.
    const UNPACKED: usize = 15;
    const OLD_EVENT: &str = "INSERT INTO events (source, message_id, type, subject, occurred_at_ms,
            received_at_ms, instance_id, payload)
        VALUES ('clerk', 'msg_1', 'user.updated', 'user_1', 1654012591835, 1, 'ins_1', ?1)";

    #[tokio::test]
    async fn a_store_of_the_release_before_goes_on() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("deskbell.db");
        let options = SqliteConnectOptions::new().filename(&path).create_if_missing(true);
        let mut connection = options.connect().await.unwrap();
        take(&mut connection, STEPS.iter().enumerate().take(UNPACKED)).await.unwrap();
        let event =
            |id| NewEvent { payload: vec![b' '; 1_000].into(), ..crate::conformance::event(id) };
        let batch = ["msg_1", "msg_2"].map(event);
        let payload = &*batch[0].payload;
        sqlx::query(OLD_EVENT).bind(payload).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();

        let store = SqliteStore::open(&path).await.unwrap();
        let appended = store.append(&batch).await.unwrap();
        assert_eq!(appended, [Appended::Duplicate(Seq::new(1)), Appended::New(Seq::new(2))]);
        let read = store.read(Seq::ZERO, ReadLimit::default()).await.unwrap();
        assert_eq!(read.into_iter().map(|stored| stored.event).collect::<Vec<_>>(), batch);
        let stored = "SELECT length(payload), payload_bytes FROM events ORDER BY seq";
        let stored: Vec<(i64, Option<i64>)> = sqlx::query_as(stored)
            .fetch_all(&mut *store.connection().await.unwrap())
            .await
            .unwrap();
        assert_eq!(stored[0], (1_000, None));
        assert!(stored[1].0 < 100 && stored[1].1 == Some(1_000), "{stored:?}");
    }
}
