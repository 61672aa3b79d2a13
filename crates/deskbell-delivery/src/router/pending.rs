//! The gauge of pending deliveries.

use std::sync::Arc;
use std::time::Duration;

use deskbell_store::deliveries::Routing;
use tokio::time::{MissedTickBehavior, interval};

const PENDING: &str = "deskbell_delivery_pending";
/// No more are counted for each destination: the gauge stops there.
const COUNTED_MAX: u32 = 100_000;

/// Counts the pending deliveries of these destinations again and again; never, where `count_every` is
/// `None`. Does not return.
pub(super) async fn run_gauge(
    store: Arc<dyn Routing>,
    destinations: Vec<Arc<str>>,
    count_every: Option<Duration>,
) {
    let Some(count_every) = count_every else { return std::future::pending().await };
    let gauge = PendingGauge { destinations };
    let mut tick = interval(count_every);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        match store.pending(COUNTED_MAX).await {
            Ok(pending) => gauge.report(&pending),
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::debug!(error, "cannot count pending deliveries");
            }
        }
    }
}

struct PendingGauge {
    destinations: Vec<Arc<str>>,
}

impl PendingGauge {
    fn report(&self, pending: &[(Arc<str>, u64)]) {
        for (destination, count) in pending {
            if self.destinations.contains(destination) {
                set(destination, *count);
            }
        }
    }
}

impl Drop for PendingGauge {
    /// Another process reports them from here on, and the sum over all processes is what is pending.
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
