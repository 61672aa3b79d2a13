//! An endpoint, as Svix's clients of both generations read it.

use std::collections::BTreeMap;

use deskbell_admin::{Endpoint, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

/// An `http` destination. What the 1.x clients call `filterTypes` and `rateLimit` is `eventTypes` and
/// `throttleRate` in the 2.x ones: it has both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = EndpointOut)]
pub(in crate::svix) struct EndpointOut {
    /// The destination's name.
    pub(in crate::svix) id: String,
    uid: Option<String>,
    url: String,
    description: String,
    /// Null for all types but one-time codes.
    event_types: Option<Vec<String>>,
    filter_types: Option<Vec<String>>,
    /// Always null.
    channels: Option<Vec<String>>,
    disabled: bool,
    /// Attempts a second, at most.
    throttle_rate: Option<u32>,
    rate_limit: Option<u32>,
    /// Always 1.
    version: u32,
    metadata: BTreeMap<String, String>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl From<Endpoint> for EndpointOut {
    fn from(endpoint: Endpoint) -> Self {
        let settings = endpoint.settings;
        Self {
            id: endpoint.id,
            uid: settings.uid,
            url: settings.url,
            description: settings.description,
            event_types: settings.events.clone(),
            filter_types: settings.events,
            channels: None,
            disabled: settings.disabled,
            throttle_rate: settings.rate_limit,
            rate_limit: settings.rate_limit,
            version: 1,
            metadata: settings.metadata,
            created_at: endpoint.created_at,
            updated_at: endpoint.updated_at,
        }
    }
}
