//! The event types that Clerk sends.

use clerk_webhooks::catalog::{self, CatalogEntry};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// An event type, with a sample of its payload.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CatalogType {
    #[serde(rename = "type")]
    pub event_type: String,
    /// What it is about, such as `user`.
    pub entity: Option<String>,
    pub description: String,
    /// A whole payload.
    pub sample: Value,
}

/// Every type that Deskbell knows, in the order of their names.
#[must_use]
pub fn catalog() -> Vec<CatalogType> {
    catalog::all().iter().map(CatalogType::from).collect()
}

impl From<&CatalogEntry> for CatalogType {
    fn from(entry: &CatalogEntry) -> Self {
        Self {
            event_type: entry.event_type.as_str().to_owned(),
            entity: entry.entity.map(str::to_owned),
            description: entry.description.to_owned(),
            sample: serde_json::from_str(entry.sample).unwrap_or_default(),
        }
    }
}
