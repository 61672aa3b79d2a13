//! What a worker says about its attempts: log lines and metrics, without payloads.

use std::sync::Arc;
use std::time::Duration;

use deskbell_store::deliveries::{Settlement, Verdict};
use tokio::time::Instant;

use super::{Ended, millis};
use crate::attempt::Outcome;

/// How often a destination's failing attempts are warned of; those in between are counted.
const WARN_INTERVAL: Duration = Duration::from_secs(60);

/// The attempts of one destination that failed and were not warned of.
#[derive(Debug, Default)]
pub(super) struct Failures {
    warned_at: Option<Instant>,
    unsaid: u64,
}

impl Failures {
    /// Says what came of this attempt.
    pub(super) fn report(&mut self, destination: &str, ended: &Ended) {
        let (id, event_type) = (&*ended.facts.message_id, &*ended.facts.event_type);
        let (attempt, duration_ms) = (ended.facts.attempts, millis(ended.took));
        let (outcome, reason) = match &ended.attempt.outcome {
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
            self.unsaid += 1;
            return;
        }
        self.warned_at = Some(now);
        let more = std::mem::take(&mut self.unsaid);
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

/// Counts what was settled, and says what was given up.
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
