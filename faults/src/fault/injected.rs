//! What a fault did, and the steps that several faults have in common.

use std::time::Duration;

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use reqwest::Client;
use tokio::time::{sleep, timeout};

use crate::balancer::readiness;
use crate::replica::Replica;

/// How long the program and the balancer may take to notice a fault.
pub(super) const SEEN_TIME_MAX: Duration = Duration::from_secs(10);
/// Between two looks at `/readyz`.
const READY_INTERVAL: Duration = Duration::from_millis(50);

#[derive(Debug, Default)]
pub(crate) struct Injected {
    /// To whom and for how long.
    pub(crate) what: String,
    /// What did not hold meanwhile.
    pub(crate) wrong: Vec<String>,
}

impl Injected {
    pub(super) fn as_expected(what: String) -> Self {
        Self { what, wrong: Vec::new() }
    }
}

/// Whether the replica's `/readyz` says so within this time.
pub(super) async fn says(
    client: &Client,
    replica: &Replica,
    ready: bool,
    time_max: Duration,
) -> bool {
    let look = async {
        while readiness(client, replica.address()).await != Some(ready) {
            sleep(READY_INTERVAL).await;
        }
    };
    timeout(time_max, look).await.is_ok()
}

pub(super) fn milliseconds(random: &mut ChaCha8Rng, range: std::ops::Range<u64>) -> Duration {
    Duration::from_millis(random.random_range(range))
}

pub(super) fn shown(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}
