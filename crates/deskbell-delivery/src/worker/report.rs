//! What a worker says about its attempts: log lines and metrics, without payloads.

use std::sync::Arc;
use std::time::Duration;

use deskbell_store::clock::whole_ms;
use deskbell_store::deliveries::{Settlement, Verdict};
use tokio::time::Instant;

use super::attempt_result::AttemptResult;
use crate::attempt::Outcome;

/// How often a destination's failing attempts are warned of; those in between are counted.
const WARN_INTERVAL: Duration = Duration::from_secs(60);

/// Logs the attempts at one destination.
#[derive(Debug, Default)]
pub(super) struct AttemptLog {
    warned_at: Option<Instant>,
    /// Failures since then.
    suppressed: u64,
}

impl AttemptLog {
    pub(super) fn report(&mut self, destination: &str, result: &AttemptResult) {
        let context = &result.context;
        let (id, event_type) = (&*context.message_id, &*context.event_type);
        let (attempt, duration_ms) = (context.number, whole_ms(result.took));
        let (outcome, reason) = match &result.attempt.outcome {
            Outcome::Delivered => {
                tracing::info!(target: "deskbell::events", destination, event.id = id,
                    event.r#type = event_type, attempt, duration_ms, "delivered");
                return;
            }
            Outcome::Retry { reason, .. } => ("retry", reason),
            Outcome::Reject { reason } => ("reject", reason),
            Outcome::Gone { reason } => ("gone", reason),
        };
        tracing::info!(target: "deskbell::events", destination, event.id = id,
            event.r#type = event_type, attempt, duration_ms, outcome, reason, "not delivered");
        let now = Instant::now();
        if self.warned_at.is_some_and(|at| now - at < WARN_INTERVAL) {
            self.suppressed += 1;
            return;
        }
        self.warned_at = Some(now);
        let more = std::mem::take(&mut self.suppressed);
        tracing::warn!(
            destination,
            event.id = id,
            event.r#type = event_type,
            attempt,
            reason,
            failures_since_last_warning = more,
            "attempt failed"
        );
    }
}

/// Counts a settlement, and logs a dead letter.
pub(super) fn settled(destination: &Arc<str>, settlement: &Settlement) {
    let outcome = match &settlement.verdict {
        Verdict::Delivered => "delivered",
        Verdict::Retry(_) => "retry",
        Verdict::DeadLetter(_) => "dead_letter",
    };
    let labels = [("destination", destination.to_string()), ("outcome", outcome.to_owned())];
    metrics::counter!("deskbell_delivery_attempts_total", &labels).increment(1);
    if let Some(attempt) = &settlement.attempt {
        let destination = destination.to_string();
        metrics::histogram!("deskbell_delivery_attempt_duration_seconds", "destination" => destination)
            .record(attempt.duration.as_secs_f64());
    }
    if let Verdict::DeadLetter(reason) = &settlement.verdict {
        tracing::warn!(%destination, seq = %settlement.claim.seq, reason, "delivery failed permanently");
    }
}
