//! The keys of every destination that deliveries are made to.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

use super::RetryConfig;
use crate::config::{Duration, RateLimit};

/// The most deliveries of one destination that may be in flight at once.
const IN_FLIGHT_MAX: usize = 1024;
/// The shortest and the longest time that an attempt may be given, in seconds.
const TIMEOUT_SECONDS: std::ops::RangeInclusive<u64> = 1..=300;

/// Where in the log a new destination begins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StartFrom {
    /// With what comes after it was added.
    #[default]
    Now,
    /// With the first event that is in the log.
    Beginning,
}

/// Whether deliveries wait for others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ordering {
    /// None does.
    #[default]
    None,
    /// Those about the same subject go one after another, as they stand in the log.
    Subject,
}

/// These keys as they stand in the file; [`DestinationConfig`](super::DestinationConfig) says what
/// each means.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct DeliveryKeys {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) events: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) when: Option<String>,
    #[serde(deserialize_with = "in_flight")]
    pub(super) max_in_flight: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) rate_limit: Option<RateLimit>,
    #[serde(deserialize_with = "timeout")]
    pub(super) timeout: Duration,
    pub(super) ordering: Ordering,
    pub(super) retry: RetryConfig,
}

impl Default for DeliveryKeys {
    fn default() -> Self {
        Self {
            events: None,
            when: None,
            max_in_flight: 16,
            rate_limit: None,
            timeout: Duration::new(std::time::Duration::from_secs(15)),
            ordering: Ordering::None,
            retry: RetryConfig::default(),
        }
    }
}

fn in_flight<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    match usize::deserialize(deserializer)? {
        count @ 1..=IN_FLIGHT_MAX => Ok(count),
        count => Err(D::Error::custom(format_args!(
            "{count} is not a number of deliveries in flight; write one from 1 to {IN_FLIGHT_MAX}"
        ))),
    }
}

fn timeout<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let timeout = Duration::deserialize(deserializer)?;
    let (min, max) = (*TIMEOUT_SECONDS.start(), *TIMEOUT_SECONDS.end());
    let allowed = std::time::Duration::from_secs(min)..=std::time::Duration::from_secs(max);
    if allowed.contains(&timeout.0) {
        return Ok(timeout);
    }
    Err(D::Error::custom(format_args!("an attempt is given {min}s at least, and {max}s at most")))
}

/// The key `from`, which says where a new destination begins.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct FromKey {
    pub(super) from: StartFrom,
}

/// The same key where `from` is the sender of an email.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct StartKey {
    pub(super) start: StartFrom,
}
