//! The gauge of what waits for each destination.

use std::sync::Arc;
use std::time::Duration;

use deskbell_store::deliveries::Routing;
use tokio::time::{MissedTickBehavior, interval};

const PENDING: &str = "deskbell_delivery_pending";
/// Of each destination, no more are counted: the gauge stands still there.
const COUNTED_MAX: u32 = 100_000;

/// Reports what waits for these destinations, for as long as it lives.
#[derive(Debug)]
pub(super) struct PendingGauge {
    store: Arc<dyn Routing>,
    destinations: Vec<Arc<str>>,
    count_every: Duration,
}

impl PendingGauge {
    pub(super) fn new(
        store: Arc<dyn Routing>,
        destinations: Vec<Arc<str>>,
        count_every: Duration,
    ) -> Self {
        Self { store, destinations, count_every }
    }

    /// Counts again and again; does not return.
    pub(super) async fn run(self) {
        let mut tick = interval(self.count_every);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            match self.store.pending(COUNTED_MAX).await {
                Ok(pending) => self.report(&pending),
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::debug!(error, "cannot count pending deliveries");
                }
            }
        }
    }

    fn report(&self, pending: &[(Arc<str>, u64)]) {
        for (destination, count) in pending {
            if self.destinations.contains(destination) {
                set(destination, *count);
            }
        }
    }
}

impl Drop for PendingGauge {
    /// Another process reports it from here on: the sum over all of them is what waits.
    fn drop(&mut self) {
        for destination in &self.destinations {
            set(destination, 0);
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "exact up to 2^53")]
fn set(destination: &str, count: u64) {
    metrics::gauge!(PENDING, "destination" => destination.to_owned()).set(count as f64);
}
