//! What a consumer tells about its work: metrics and log lines, without payloads.

use std::time::Duration;

use deskbell_store::Seq;

use super::{MirrorConsumer, SyncError};
use crate::batch::{Counts, DeadLetter};
use crate::checkpoint::Checkpoint;
use crate::clock;
use crate::target::{Blocked, Part, Waiting};

const DESTINATION: &str = "destination";

impl MirrorConsumer {
    pub(super) fn report_events<'a>(
        &self,
        counts: Counts,
        dead_letters: impl Iterator<Item = &'a DeadLetter>,
    ) {
        for (outcome, events) in [
            ("applied", counts.applied),
            ("not_mirrored", counts.not_mirrored),
            ("other_instance", counts.other_instance),
            ("dead_lettered", counts.dead_lettered),
            ("pruned", counts.pruned),
        ] {
            metrics::counter!(
                "deskbell_sync_events_total",
                DESTINATION => self.destination.clone(), "outcome" => outcome
            )
            .increment(events);
        }
        if counts.pruned > 0 {
            tracing::warn!(
                destination = self.destination,
                events = counts.pruned,
                "events were skipped: their payloads have been pruned from the log"
            );
        }
        self.report_letters(dead_letters);
    }

    pub(super) fn report_letters<'a>(&self, dead_letters: impl Iterator<Item = &'a DeadLetter>) {
        for letter in dead_letters {
            tracing::warn!(
                destination = self.destination,
                event.id = letter.message_id,
                event.r#type = letter.event_type,
                reason = letter.reason,
                "an event cannot be mirrored; it is kept as a dead letter"
            );
        }
    }

    pub(super) fn report_applied(
        &self,
        current: &Checkpoint,
        next: &Checkpoint,
        rows_written: u64,
        duration: Duration,
    ) {
        let destination = || self.destination.clone();
        let events = next.seq.distance_from(current.seq);
        metrics::histogram!("deskbell_sync_batch_events", DESTINATION => destination())
            .record(as_float(events));
        metrics::histogram!("deskbell_sync_apply_duration_seconds", DESTINATION => destination())
            .record(duration);
        metrics::counter!("deskbell_sync_rows_written_total", DESTINATION => destination())
            .increment(rows_written);
        tracing::debug!(
            destination = self.destination,
            seq = next.seq.get(),
            events,
            rows_written,
            duration_ms = millis(duration),
            "applied a batch"
        );
    }

    /// How far the log's head is from here, as far as that can be told now.
    pub(super) async fn lag_behind(&self, seq: Seq) -> u64 {
        self.store.head().await.map_or(0, |head| head.distance_from(seq))
    }

    /// How far behind the log the mirror is: in events, and in time since the log took the last
    /// event that it bears. `None`: it bears all of them.
    pub(super) fn report_lag(&self, events: u64, received_at_ms: Option<i64>) {
        let since = received_at_ms.map_or(0, |at| clock::now_ms().saturating_sub(at));
        let lag = Duration::from_millis(u64::try_from(since).unwrap_or(0));
        metrics::gauge!("deskbell_sync_lag_events", DESTINATION => self.destination.clone())
            .set(as_float(events));
        metrics::gauge!("deskbell_sync_lag_seconds", DESTINATION => self.destination.clone())
            .set(lag.as_secs_f64());
    }

    pub(super) fn report_waiting(&self, waiting: &Waiting) {
        metrics::gauge!("deskbell_sync_dead_letters", DESTINATION => self.destination.clone())
            .set(as_float(waiting.dead_letters));
    }

    pub(super) fn report_blocked(&self, blocked: &[Blocked]) {
        for Blocked { part, reason, .. } in blocked {
            tracing::error!(
                destination = self.destination,
                part = part.name,
                kind = part.kind.as_str(),
                reason,
                "the database refuses this whatever the row: it waits, and the rest goes on"
            );
        }
    }

    pub(super) fn report_unblocked(&self, part: &Part) {
        let (part, kind) = (&part.name, part.kind.as_str());
        tracing::info!(destination = self.destination, part, kind, "it is blocked no more");
    }

    pub(super) fn report_failure(&self, error: &SyncError, pause: Duration) {
        metrics::counter!("deskbell_sync_failures_total", DESTINATION => self.destination.clone())
            .increment(1);
        tracing::warn!(
            destination = self.destination,
            error = error as &dyn std::error::Error,
            retry_in_ms = millis(pause),
            "the mirror cannot go on; it will try again"
        );
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[expect(clippy::cast_precision_loss, reason = "exact up to 2^53")]
fn as_float(count: u64) -> f64 {
    count as f64
}
