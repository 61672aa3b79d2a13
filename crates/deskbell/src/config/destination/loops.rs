//! `type = "loops"`: contacts of Loops, kept as users are, and events for them.

use std::num::NonZeroU32;

use deskbell_config::{Node, ReadError};
use deskbell_delivery::DeliveryConfig;
use deskbell_delivery::LoopsChannel;
use serde::{Deserialize, Serialize};

use super::Ordering;
use crate::config::{HttpUrl, RateLimit, RateUnit, SecretText};

/// Contacts of Loops, kept as users are, and events for them.
///
/// Two keys of the delivery have other defaults here: `ordering` is `subject`, since contacts have no
/// versions, and `rate_limit` is `5/s`, which stays within what Loops allows.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
pub struct LoopsConfig {
    /// The API key; it never shows.
    pub api_key: SecretText,
    /// Where its API is. Default: `None`, which is Loops' own address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_url: Option<HttpUrl>,
    /// The proxy to go through, `http://USER:PASSWORD@HOST:PORT`. Default: `None`, and the
    /// environment's (`HTTP_PROXY`) is not used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy: Option<HttpUrl>,
    /// The name of the event that is sent for the contact; a template. Default: `None`, and contacts
    /// are kept without events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_name: Option<String>,
}

impl LoopsConfig {
    /// Reads the keys of this type, and fills in those of the delivery that are not there.
    pub(super) fn read(node: Node<'_>, delivery: &mut DeliveryConfig) -> Result<Self, ReadError> {
        delivery.ordering.get_or_insert(Ordering::Subject);
        if delivery.rate_limit.is_none() {
            let count = NonZeroU32::new(LoopsChannel::DEFAULT_RATE_PER_SECOND);
            delivery.rate_limit = count.map(|count| RateLimit { count, per: RateUnit::Second });
        }
        Self::deserialize(node)
    }
}
