//! `retry`: when a delivery that failed is tried again.

use deskbell_config::or_never;
use deskbell_delivery::RetryPolicy;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

use crate::config::Duration;

/// The shortest wait between two attempts.
const WAIT_MIN: std::time::Duration = std::time::Duration::from_secs(1);

/// When a delivery that failed is tried again.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct RetryConfig {
    /// The waits after the first attempts, in order; each `1s` at least. Default: `5s`, `5m`,
    /// `30m`, `2h`, `5h`, `10h`, `10h`.
    #[serde(deserialize_with = "waits")]
    pub schedule: Vec<Duration>,
    /// The wait after each further one; `None`, written `"never"`, where the schedule's end is the
    /// end. Default: `14h`.
    #[serde(deserialize_with = "wait_or_never", serialize_with = "or_never::serialize")]
    pub then_every: Option<Duration>,
    /// No attempt begins later than this after the first one. Default: `72h`.
    pub until: Duration,
}

impl Default for RetryConfig {
    fn default() -> Self {
        let policy = RetryPolicy::default();
        Self {
            schedule: policy.schedule.into_iter().map(Duration::new).collect(),
            then_every: policy.then_every.map(Duration::new),
            until: Duration::new(policy.until),
        }
    }
}

/// A wait that is no busy loop.
struct Wait(Duration);

impl<'de> Deserialize<'de> for Wait {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        long_enough(Duration::deserialize(deserializer)?).map(Self)
    }
}

fn long_enough<E: Error>(wait: Duration) -> Result<Duration, E> {
    if wait.0 < WAIT_MIN {
        return Err(E::custom("a wait between attempts is 1s at least"));
    }
    Ok(wait)
}

fn waits<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Duration>, D::Error> {
    let waits = Vec::<Wait>::deserialize(deserializer)?;
    Ok(waits.into_iter().map(|wait| wait.0).collect())
}

fn wait_or_never<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    or_never::deserialize(deserializer)?.map(long_enough).transpose()
}
