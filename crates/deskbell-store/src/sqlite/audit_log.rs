//! The audit log.

use async_trait::async_trait;

use super::SqliteStore;
use crate::audit_log::{AuditLog, NewAuditEntry, StoredAuditEntry};
use crate::{StoreError, rows};

#[async_trait]
impl AuditLog for SqliteStore {
    async fn record_audit(&self, entry: &NewAuditEntry) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO audit_log (at_ms, who, action, target, details)
             VALUES (?1, ?2, ?3, ?4, ?5)",
        )
        .bind(self.clock.now_ms())
        .bind(&entry.who)
        .bind(&entry.action)
        .bind(&entry.target)
        .bind(&entry.details)
        .execute(&mut *self.connection().await?)
        .await?;
        Ok(())
    }

    async fn audit_entries(
        &self,
        before: Option<i64>,
        entries_max: u32,
    ) -> Result<Vec<StoredAuditEntry>, StoreError> {
        let newest = sqlx::query(
            "SELECT number, at_ms, who, action, target, details FROM audit_log
             WHERE number < ?1 ORDER BY number DESC LIMIT ?2",
        );
        let newest = newest.bind(before.unwrap_or(i64::MAX)).bind(entries_max);
        rows::each(&newest.fetch_all(&self.readers).await?, rows::audit_entry)
    }
}
