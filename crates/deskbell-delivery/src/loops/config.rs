//! `type = "loops"`.

use deskbell_config::{HttpUrl, SecretText};
use deskbell_store::deliveries::StartFrom;
use serde::{Deserialize, Serialize};
use std::num::NonZeroU32;

/// Deliveries a second that stay within the
/// [ten requests](https://loops.so/docs/api-reference/intro) that Loops allows a team: one delivery
/// may take two.
pub(super) const RATE_PER_SECOND: NonZeroU32 = NonZeroU32::new(5).expect("5 is not 0");

/// Contacts of Loops, kept as users are, and events for them.
///
/// Two keys of the delivery have other defaults here: `ordering` is `subject`, since contacts have no
/// versions, and `rate_limit` is `5/s`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
pub struct LoopsConfig {
    /// The API key; it never shows.
    pub api_key: SecretText,
    /// Where its API is. Default: `None`, which is Loops' own address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_url: Option<HttpUrl>,
    /// The proxy to go through, `http://USER:PASSWORD@HOST:PORT`. Default: `None`, and the
    /// environment's (`HTTP_PROXY`) is not used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxy: Option<HttpUrl>,
    /// The name of the event that is sent for the contact; a template. No event is sent where it
    /// renders to nothing. Default: `None`, and contacts are kept without events.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_name: Option<String>,
    /// Where in the log it begins when it is new. Default: `now`.
    #[serde(default)]
    pub from: StartFrom,
}
