//! The audit log.

use async_trait::async_trait;

use super::PostgresStore;
use super::append::text;
use crate::audit_log::{AuditLog, NewAuditEntry, StoredAuditEntry};
use crate::{StoreError, rows};

#[async_trait]
impl AuditLog for PostgresStore {
    async fn record_audit(&self, entry: &NewAuditEntry) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO deskbell.audit_log (at_ms, who, action, target, details)
             VALUES (coalesce($1::bigint, deskbell.now_ms()), $2, $3, $4, $5)",
        )
        .bind(self.clock.manual_ms())
        .bind(text(&entry.who))
        .bind(text(&entry.action))
        .bind(text(&entry.target))
        .bind(entry.details.as_deref().map(text))
        .execute(&*self.pools)
        .await?;
        Ok(())
    }

    async fn audit_entries(
        &self,
        before: Option<i64>,
        entries_max: u32,
    ) -> Result<Vec<StoredAuditEntry>, StoreError> {
        let newest = sqlx::query(
            "SELECT number, at_ms, who, action, target, details FROM deskbell.audit_log
             WHERE number < $1 ORDER BY number DESC LIMIT $2",
        );
        let newest = newest.bind(before.unwrap_or(i64::MAX)).bind(i64::from(entries_max));
        rows::each(&newest.fetch_all(&*self.pools).await?, rows::audit_entry)
    }
}
