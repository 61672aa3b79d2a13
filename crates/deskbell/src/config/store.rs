//! `[store]`: where events are written down.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::SqliteUrl;

/// The event log.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct StoreConfig {
    /// The SQLite database of the log. Default: `sqlite://deskbell.db`.
    pub url: SqliteUrl,
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self { url: SqliteUrl::new(Path::new("deskbell.db")) }
    }
}
