//! `[store]`: where events are written down.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::DatabaseUrl;

/// The event log.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct StoreConfig {
    /// The database of the log. Default: `sqlite://deskbell.db`.
    pub url: DatabaseUrl,
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self { url: DatabaseUrl::sqlite(Path::new("deskbell.db")) }
    }
}
