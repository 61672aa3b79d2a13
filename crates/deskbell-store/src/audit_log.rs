//! The audit log: who changed what, and when.

use async_trait::async_trait;

use crate::StoreError;

/// A change that somebody made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAuditEntry {
    /// The name of the token.
    pub who: String,
    /// A short code, such as `token.create`.
    pub action: String,
    /// What was changed.
    pub target: String,
    /// In plain words; no secrets.
    pub details: Option<String>,
}

/// An entry as it is read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredAuditEntry {
    /// Grows with each entry.
    pub number: i64,
    /// In milliseconds since the Unix epoch, by the store's clock.
    pub at_ms: i64,
    pub entry: NewAuditEntry,
}

/// The audit log. Entries are only added.
#[async_trait]
pub trait AuditLog: Send + Sync + 'static {
    /// # Errors
    /// Nothing was written.
    async fn record_audit(&self, entry: &NewAuditEntry) -> Result<(), StoreError>;

    /// The newest entries, before number `before` if it is given.
    ///
    /// # Errors
    /// The store could not be read.
    async fn audit_entries(
        &self,
        before: Option<i64>,
        entries_max: u32,
    ) -> Result<Vec<StoredAuditEntry>, StoreError>;
}
