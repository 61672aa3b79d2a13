//! How a destination is worked.

use std::sync::Arc;
use std::time::Duration;

use crate::breaker::ProbePolicy;
use crate::health::HealthPolicy;
use crate::rate_limiter::RateLimit;
use crate::retry::RetryPolicy;

/// How a destination is worked.
#[derive(Debug, Clone)]
pub struct WorkerOptions {
    /// The destination's name.
    pub destination: Arc<str>,
    /// Attempts at the same time.
    pub max_in_flight: usize,
    /// How fast they may follow each other; `None` for as fast as they go.
    pub rate_limit: Option<RateLimit>,
    /// When to try again.
    pub retry: RetryPolicy,
    /// How long one attempt may take, from the connection to the last byte of the reply.
    pub timeout: Duration,
    /// How long attempts may go on once the program stops.
    pub grace: Duration,
    /// When it is disabled.
    pub health: HealthPolicy,
    /// How it is probed while it fails.
    pub probe: ProbePolicy,
    /// How often the store is asked, whatever its hints say.
    pub poll_every: Duration,
}

impl WorkerOptions {
    /// The defaults, for this destination.
    #[must_use]
    pub fn new(destination: &str) -> Self {
        Self {
            destination: destination.into(),
            max_in_flight: 16,
            rate_limit: None,
            retry: RetryPolicy::default(),
            timeout: Duration::from_secs(15),
            grace: Duration::from_secs(10),
            health: HealthPolicy::default(),
            probe: ProbePolicy::default(),
            poll_every: Duration::from_secs(1),
        }
    }
}
