//! How a destination is shown: in the flat form that it is read from.

use serde::{Serialize, Serializer};

use super::{DestinationConfig, DestinationKind, DestinationType, StartFrom};
use deskbell_delivery::DeliveryConfig;

#[derive(Serialize)]
struct Flat<'a> {
    name: &'a str,
    #[serde(rename = "type")]
    kind: DestinationType,
    enabled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    sources: Option<&'a [String]>,
    #[serde(flatten)]
    keys: &'a DestinationKind,
    #[serde(flatten)]
    start: Start,
    #[serde(flatten)]
    delivery: Option<&'a DeliveryConfig>,
}

/// Where it begins, under the key that its type has for that.
#[derive(Serialize)]
struct Start {
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<StartFrom>,
    #[serde(skip_serializing_if = "Option::is_none")]
    start: Option<StartFrom>,
}

impl Serialize for DestinationConfig {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let kind = self.kind.destination_type();
        let (from, start) = match kind {
            DestinationType::Email => (None, Some(self.from)),
            // They have the key themselves.
            _ => (None, None),
        };
        let flat = Flat {
            name: &self.name,
            kind,
            enabled: self.enabled,
            sources: self.sources.as_deref(),
            keys: &self.kind,
            start: Start { from, start },
            delivery: self.delivery.as_ref(),
        };
        flat.serialize(serializer)
    }
}
