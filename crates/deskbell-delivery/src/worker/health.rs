//! What attempts say about the destination, and the timer that disables it.

use std::sync::Arc;
use std::time::Duration;

use deskbell_store::deliveries::{DeliveryQueue, DestinationHealth, Disabled, Rescheduled};
use deskbell_store::{Seq, StoreError};
use tokio::time::Instant;

use super::attempt_result::AttemptResult;
use crate::attempt::Outcome;
use crate::delivery_config::WorkerOptions;
use crate::health::{FailingStreak, HealthPolicy, ObservedAttempts};
use crate::words::in_words;

/// Tries to write the destination's health while other processes write it too; what is left is
/// written in the next round.
const CHANGES_MAX: usize = 5;

/// The health of one destination, as several processes see it together.
#[derive(Debug)]
pub(super) struct HealthMonitor {
    destination: Arc<str>,
    policy: HealthPolicy,
    poll_every: Duration,
    /// As the store had it when it was last read.
    known: DestinationHealth,
    read_at: Option<Instant>,
    /// What the store does not know yet.
    observed: ObservedAttempts,
    /// Why an attempt last failed.
    last_failure: Option<String>,
    /// The delivery that was last rescheduled as a probe.
    probe: Option<Rescheduled>,
    /// When the store was last asked for one.
    probed_at_ms: Option<i64>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Refreshed {
    /// Somebody has enabled the destination again.
    pub(super) is_enabled_again: bool,
    now_ms: i64,
}

impl HealthMonitor {
    pub(super) fn new(options: &WorkerOptions) -> Self {
        Self {
            destination: Arc::clone(&options.destination),
            policy: options.health.clone(),
            poll_every: options.poll_every,
            known: DestinationHealth::default(),
            read_at: None,
            observed: ObservedAttempts::default(),
            last_failure: None,
            probe: None,
            probed_at_ms: None,
        }
    }

    pub(super) fn is_disabled(&self) -> bool {
        self.known.disabled.is_some()
    }

    /// When this delivery would have been due, if it was rescheduled.
    pub(super) fn was_due_ms(&self, seq: Seq) -> Option<i64> {
        self.probe.filter(|one| one.seq == seq).map(|one| one.due_at_ms)
    }

    /// Notes what an attempt says about the destination.
    ///
    /// A message that is refused for its own sake says nothing: the receiver is there, and does
    /// not want it.
    pub(super) fn observe(&mut self, result: &AttemptResult) {
        match &result.attempt.outcome {
            Outcome::Delivered => self.observed.success(),
            Outcome::Retry { reason, .. } => {
                self.observed.failure(result.ended_at_ms());
                self.last_failure = Some(reason.clone());
            }
            Outcome::Gone { reason } => self.observed.gone(result.ended_at_ms(), reason),
            Outcome::Reject { .. } => {}
        }
    }

    /// Exchanges what is known with the store: now and then, and at once where the receiver is gone.
    pub(super) async fn refresh_when_due(
        &mut self,
        store: &dyn DeliveryQueue,
    ) -> Result<Option<Refreshed>, StoreError> {
        let is_due = self.read_at.is_none_or(|read_at| read_at.elapsed() >= self.poll_every);
        if is_due || self.observed.is_gone() {
            self.refresh(store).await.map(Some)
        } else {
            Ok(None)
        }
    }

    /// Writes what is not written yet, at the end.
    pub(super) async fn flush(&mut self, store: &dyn DeliveryQueue) -> Result<(), StoreError> {
        if self.observed != ObservedAttempts::default() {
            self.refresh(store).await?;
        }
        Ok(())
    }

    /// Reschedules a delivery if there is no recent attempt to judge the destination by. Whether one
    /// was.
    pub(super) async fn probe(
        &mut self,
        store: &dyn DeliveryQueue,
        Refreshed { now_ms, .. }: Refreshed,
    ) -> Result<bool, StoreError> {
        if self.policy.probe_at_ms(&self.known).is_none_or(|at_ms| at_ms > now_ms) {
            return Ok(false);
        }
        // Where there was nothing to probe with, new deliveries are attempted by themselves.
        let apart_ms = self.policy.probes_apart_ms();
        if self.probed_at_ms.is_some_and(|at_ms| now_ms.saturating_sub(at_ms) < apart_ms) {
            return Ok(false);
        }
        self.probed_at_ms = Some(now_ms);
        let rescheduled = store.schedule_next_now(&self.destination).await?;
        self.probe = rescheduled.or(self.probe);
        Ok(rescheduled.is_some())
    }

    /// Writes down how the destination is after what was observed, judges it, and learns whether
    /// another process has changed it.
    async fn refresh(&mut self, store: &dyn DeliveryQueue) -> Result<Refreshed, StoreError> {
        let was_disabled = self.is_disabled();
        let mut known = self.read(store).await?;
        // Of one that does not fail the time says nothing.
        let now_ms = match self.policy.after(&self.observed, &known).first_failure_at_ms {
            Some(_) => store.now_ms().await?,
            None => i64::MIN,
        };
        for _ in 0..CHANGES_MAX {
            let next = self.judge(&known, now_ms);
            if next == known || self.change(store, &known, &next).await? {
                self.observed = ObservedAttempts::default();
                self.known = next;
                break;
            }
            known = self.read(store).await?;
        }
        self.read_at = Some(Instant::now());
        Ok(Refreshed { is_enabled_again: was_disabled && !self.is_disabled(), now_ms })
    }

    async fn read(&self, store: &dyn DeliveryQueue) -> Result<DestinationHealth, StoreError> {
        let all = store.destinations().await?;
        let ours = all.into_iter().find(|state| state.name == self.destination);
        Ok(ours.map(|state| state.health).unwrap_or_default())
    }

    /// How the destination is after what was observed, at this time.
    fn judge(&self, known: &DestinationHealth, now_ms: i64) -> DestinationHealth {
        // What was on its way when somebody paused it does not resume it.
        if known.disabled.as_ref().is_some_and(Disabled::is_pause) {
            return known.clone();
        }
        let mut next = self.policy.after(&self.observed, known);
        if self.policy.should_disable(&next, now_ms) {
            let since_ms = FailingStreak::of(&next).map_or(now_ms, |streak| streak.since_ms);
            let mut reason =
                format!("every attempt has failed for {}", in_words(now_ms - since_ms));
            if let Some(last) = &self.last_failure {
                reason = format!("{reason}: {last}");
            }
            next.disabled = Some(Disabled { at_ms: now_ms, reason });
        }
        next
    }

    async fn change(
        &self,
        store: &dyn DeliveryQueue,
        from: &DestinationHealth,
        to: &DestinationHealth,
    ) -> Result<bool, StoreError> {
        let destination = &self.destination;
        let is_changed = store.change_health(destination, from, to).await?;
        if is_changed
            && from.disabled.is_none()
            && let Some(disabled) = &to.disabled
        {
            tracing::error!(%destination, reason = disabled.reason, "destination disabled");
        }
        Ok(is_changed)
    }
}
