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
];

/// The schema version that this program writes.
pub(super) const VERSION: usize = STEPS.len();

/// Takes the steps from `version` on, each in a transaction of its own.
pub(super) async fn migrate(
    connection: &mut SqliteConnection,
    version: usize,
) -> Result<(), sqlx::Error> {
    for (done, step) in STEPS.iter().enumerate().skip(version) {
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
