//! What a consumer reports of its work: metrics and log lines, without payloads.

use std::time::Duration;

use deskbell_store::clock::whole_ms;

use super::error::SyncError;
use super::state::{ClerkReport, MirrorConsumer};
use super::status::as_float;
use crate::batch::{Counts, DeadLetter};
use crate::checkpoint::Checkpoint;
use crate::fold::OtherSource;
use crate::mirror_target::{Blocked, Part, PartKind};

const DESTINATION: &str = "destination";

/// Reports that the mirror no longer takes events of these sources. Rows of two instances in one
/// table would be deleted by each other's deletes.
pub(super) fn other_instances(destination: &str, others: &[OtherSource]) {
    for OtherSource { source, instance_id, ours } in others {
        tracing::error!(
            destination,
            source,
            instance_id,
            ours,
            "a source of this mirror belongs to another Clerk instance; its events are stored and \
             not applied; configure a separate destination for it, with `sources` and another \
             `schema`"
        );
    }
}

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
                "skipped events whose payloads were pruned"
            );
        }
        self.report_dead_letters(dead_letters);
    }

    pub(super) fn report_dead_letters<'a>(
        &self,
        dead_letters: impl Iterator<Item = &'a DeadLetter>,
    ) {
        for letter in dead_letters {
            tracing::warn!(
                destination = self.destination,
                event.id = letter.message_id,
                event.r#type = letter.event_type,
                reason = letter.reason,
                "an event cannot be mirrored; kept as a dead letter"
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
        tracing::info!(
            target: "deskbell::events",
            destination = self.destination,
            seq = next.seq.get(),
            events,
            rows_written,
            duration_ms = whole_ms(duration),
            "applied a batch"
        );
    }

    pub(super) fn report_blocked(&self, blocked: &[Blocked]) {
        for Blocked { part, reason, .. } in blocked {
            tracing::error!(
                destination = self.destination,
                part = self.title(part),
                kind = part.kind.as_str(),
                reason,
                "the database rejects a table or statement whatever the row; it is blocked, and \
                 everything else continues"
            );
        }
    }

    /// Reports statements that are blocked and no longer in the config: an edited statement without a name
    /// is another one, and would run for none of the events since.
    pub(super) fn report_former_statements(&self, blocked: &[Blocked]) {
        for Blocked { part, seq, .. } in blocked {
            let is_known = self.statements.iter().any(|(name, _)| *name == part.name);
            if part.kind == PartKind::Statement && !is_known {
                tracing::error!(
                    destination = self.destination,
                    statement = part.name,
                    seq = seq.get(),
                    "a blocked statement is no longer in the config and has not run for the events after \
                     this seq; to run another one for them, give it this `name`; to leave them out, run \
                     `deskbell statements resume DESTINATION --from now`"
                );
            }
        }
    }

    pub(super) fn report_unblocked(&self, part: &Part) {
        let (part, kind) = (self.title(part), part.kind.as_str());
        tracing::info!(destination = self.destination, part, kind, "no longer blocked");
    }

    /// Objects that Clerk has, of those that it was asked for.
    pub(super) fn count_read(&self, wanted: usize, found: usize) {
        for (outcome, objects) in [("found", found), ("not_found", wanted.saturating_sub(found))] {
            metrics::counter!(
                "deskbell_sync_refetched_total",
                DESTINATION => self.destination.clone(), "outcome" => outcome
            )
            .increment(u64::try_from(objects).unwrap_or(u64::MAX));
        }
    }

    pub(super) fn report_failure(&mut self, error: &SyncError, pause: Duration) {
        let SyncError::Clerk(cause) = error else {
            return failure(&self.destination, error, pause);
        };
        count_failure(&self.destination);
        let (destination, retry_in_ms) = (&self.destination, whole_ms(pause));
        let report = if cause.is_permanent { ClerkReport::Permanent } else { ClerkReport::Passing };
        let is_new = self.reported_clerk.replace(report) != Some(report);
        let error = error as &dyn std::error::Error;
        if is_new {
            tracing::warn!(
                destination,
                error,
                retry_in_ms,
                "the mirror waits for Clerk's Backend API, as it has refetch = true; retrying"
            );
        } else {
            tracing::debug!(destination, error, retry_in_ms, "still waiting for Clerk's API");
        }
    }

    pub(super) fn report_clerk_is_back(&mut self) {
        if self.reported_clerk.take().is_some() {
            let destination = &self.destination;
            tracing::info!(
                destination,
                "Clerk's Backend API can be read again; the mirror continues"
            );
        }
    }

    /// The database has refused a batch, and it is tried again before what is at fault is looked for.
    pub(super) fn report_refused(&self, error: &SyncError, pause: Duration) {
        tracing::debug!(
            destination = self.destination,
            error = error as &dyn std::error::Error,
            retry_in_ms = whole_ms(pause),
            "the database rejects something in a batch"
        );
    }
}

pub(super) fn failure(destination: &str, error: &SyncError, pause: Duration) {
    count_failure(destination);
    tracing::warn!(
        destination,
        error = error as &dyn std::error::Error,
        retry_in_ms = whole_ms(pause),
        "the mirror cannot continue; retrying"
    );
}

fn count_failure(destination: &str) {
    metrics::counter!("deskbell_sync_failures_total", DESTINATION => destination.to_owned())
        .increment(1);
}
