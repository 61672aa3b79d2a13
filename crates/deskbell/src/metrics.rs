//! The metrics of this process, in Prometheus' text format.

mod ack_latency;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tokio_util::sync::CancellationToken;

/// How often records are folded into the histograms, which bounds their memory.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);
/// Upper bounds of the buckets of histograms of durations.
const SECONDS: &[f64] =
    &[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();

/// Records metrics from now on, and returns the function that renders them. A program that embeds the
/// engine may have a recorder of its own, which then has them, and this function renders nothing.
pub(crate) fn install() -> Arc<dyn Fn() -> String + Send + Sync> {
    if RECORDER.get().is_none() {
        let recorder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), SECONDS)
            .and_then(PrometheusBuilder::install_recorder);
        match recorder {
            Ok(recorder) => drop(RECORDER.set(recorder)),
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::info!(error, "metrics go to the recorder that the program has");
            }
        }
    }
    Arc::new(|| RECORDER.get().map(PrometheusHandle::render).unwrap_or_default())
}

/// How long acknowledging an event took in this process, half of the time and 99 times of 100, in
/// milliseconds; as exact as the buckets of the histogram are. `None` where nothing was recorded.
pub(crate) fn ack_latency_ms() -> Option<(f64, f64)> {
    ack_latency::read(&RECORDER.get()?.render())
}

/// Folds records into the histograms until `shutdown`.
pub(crate) async fn upkeep(shutdown: CancellationToken) {
    let mut interval = tokio::time::interval(UPKEEP_INTERVAL);
    while shutdown.run_until_cancelled(interval.tick()).await.is_some() {
        if let Some(recorder) = RECORDER.get() {
            recorder.run_upkeep();
        }
    }
}
