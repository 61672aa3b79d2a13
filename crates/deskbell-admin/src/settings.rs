//! The effective config, and who changed what.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::{AdminError, Timestamp};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SettingsView {
    pub version: String,
    /// The effective config, as `deskbell config show --json` has it, secrets redacted.
    pub config: Value,
    /// The same as TOML.
    pub toml: String,
    pub retention: RetentionView,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RetentionView {
    pub payloads: String,
    pub events: String,
    pub attempts: String,
    pub erase_on_delete: bool,
}

/// A change that somebody made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditEntry {
    pub number: i64,
    pub at: Timestamp,
    /// The token's name.
    pub who: String,
    /// Such as `token.create`, `destination.pause`, `replay`.
    pub action: String,
    /// What it was done to.
    pub target: String,
    /// In plain words; no secrets.
    pub details: Option<String>,
}

/// A page of the audit log, the newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditPage {
    pub entries: Vec<AuditEntry>,
    pub next: Option<i64>,
}

#[async_trait]
pub trait Settings: Send + Sync {
    async fn settings(&self) -> Result<SettingsView, AdminError>;

    async fn audit(&self, before: Option<i64>, limit: u32) -> Result<AuditPage, AdminError>;
}
