//! The effective config, and the audit log.

use async_trait::async_trait;
use deskbell_admin::{
    AdminError, AuditEntry, AuditPage, RetentionView, Settings, SettingsView, Timestamp,
};

use super::local::LocalAdmin;
use crate::unavailable::unavailable;

/// Entries of a page of the audit log, at most.
const ENTRIES_MAX: u32 = 500;

#[async_trait]
impl Settings for LocalAdmin {
    async fn settings(&self) -> Result<SettingsView, AdminError> {
        let retention = &self.config.store.retention;
        Ok(SettingsView {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            config: serde_json::to_value(&*self.config).map_err(unavailable)?,
            toml: toml::to_string_pretty(&*self.config).map_err(unavailable)?,
            retention: RetentionView {
                payloads: retention.payloads.to_string(),
                events: retention.events.to_string(),
                attempts: retention.attempts.to_string(),
                erase_on_delete: self.config.store.erase_on_delete,
            },
        })
    }

    async fn audit(&self, before: Option<i64>, limit: u32) -> Result<AuditPage, AdminError> {
        let limit = limit.clamp(1, ENTRIES_MAX);
        // One more says whether there is a next page.
        let found = self.store.audit_entries(before, limit + 1).await.map_err(unavailable)?;
        let mut entries: Vec<AuditEntry> = found
            .into_iter()
            .map(|stored| AuditEntry {
                number: stored.number,
                at: Timestamp(stored.at_ms),
                who: stored.entry.who,
                action: stored.entry.action,
                target: stored.entry.target,
                details: stored.entry.details,
            })
            .collect();
        let has_more = entries.len() > limit as usize;
        entries.truncate(limit as usize);
        let next = entries.last().filter(|_| has_more).map(|entry| entry.number);
        Ok(AuditPage { entries, next })
    }
}
