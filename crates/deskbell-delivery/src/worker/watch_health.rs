//! What attempts say about the destination, and the timer that disables it.

use std::sync::Arc;

use deskbell_store::StoreError;
use deskbell_store::deliveries::{DestinationHealth, Disabled};
use tokio::time::Instant;

use super::{Ended, Worker};
use crate::attempt::Outcome;
use crate::health::{FailingStreak, ObservedAttempts, in_words};

/// Tries to write down how the destination is while others do so too; what is left is written in
/// the next round.
const CHANGES_MAX: usize = 5;

impl Worker {
    /// What this attempt says about the destination.
    ///
    /// A message that is refused for its own sake says nothing: the receiver is there, and does
    /// not want it.
    pub(super) fn note(&mut self, ended: &Ended) {
        match &ended.attempt.outcome {
            Outcome::Delivered => {
                self.breaker.succeeded();
                self.observed.success();
            }
            Outcome::Retry { after, reason } => {
                self.breaker.failed(Instant::now(), *after);
                self.observed.failure(ended.at_ms());
                self.last_failure = Some(reason.clone());
            }
            Outcome::Gone { reason } => self.observed.gone(ended.at_ms(), reason),
            Outcome::Reject { .. } => {}
        }
    }

    /// Updates how the destination is: now and then, and at once where it is gone.
    pub(super) async fn watch_health(&mut self) -> Result<(), StoreError> {
        let now = Instant::now();
        let is_due = self.health_read.is_none_or(|read| now - read >= self.options.poll_every);
        if is_due || self.observed.is_gone() { self.update_health().await } else { Ok(()) }
    }

    /// Writes down how the destination is after what was observed, judges it, and learns whether
    /// somebody else has changed it.
    async fn update_health(&mut self) -> Result<(), StoreError> {
        let mut known = self.read_health().await?;
        // Of one that is well the time says nothing.
        let now_ms = match self.options.health.after(&self.observed, &known).first_failure_at_ms {
            Some(_) => self.deliveries.now_ms().await?,
            None => i64::MIN,
        };
        for _ in 0..CHANGES_MAX {
            let next = self.judged(&known, now_ms);
            if next == known || self.change_health(&known, &next).await? {
                self.observed = ObservedAttempts::default();
                self.adopt(next);
                break;
            }
            known = self.read_health().await?;
        }
        self.health_read = Some(Instant::now());
        self.probe(now_ms).await
    }

    /// Writes down what was observed and is not written down yet, at the end.
    pub(super) async fn flush_health(&mut self) -> Result<(), StoreError> {
        if self.observed == ObservedAttempts::default() {
            Ok(())
        } else {
            self.update_health().await
        }
    }

    async fn read_health(&self) -> Result<DestinationHealth, StoreError> {
        let all = self.deliveries.destinations().await?;
        let ours = all.into_iter().find(|state| state.name == self.options.destination);
        Ok(ours.map_or_else(DestinationHealth::default, |state| state.health))
    }

    /// How it is after what was observed, by this time.
    fn judged(&self, known: &DestinationHealth, now_ms: i64) -> DestinationHealth {
        let mut next = self.options.health.after(&self.observed, known);
        if self.options.health.should_disable(&next, now_ms) {
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

    async fn change_health(
        &self,
        from: &DestinationHealth,
        to: &DestinationHealth,
    ) -> Result<bool, StoreError> {
        let destination = &self.options.destination;
        let is_changed = self.deliveries.change_health(destination, from, to).await?;
        if is_changed
            && from.disabled.is_none()
            && let Some(disabled) = &to.disabled
        {
            tracing::error!(%destination, reason = disabled.reason, "destination disabled");
        }
        Ok(is_changed)
    }

    fn adopt(&mut self, health: DestinationHealth) {
        if health.disabled.is_none() && self.health.disabled.is_some() {
            // Somebody has enabled it again: it gets a fresh start.
            self.breaker.succeeded();
            self.claim_at = Instant::now();
        }
        self.health = health;
    }

    /// Schedules a delivery now if there is no recent attempt to judge the destination by.
    async fn probe(&mut self, now_ms: i64) -> Result<(), StoreError> {
        let policy = &self.options.health;
        if policy.probe_at_ms(&self.health).is_none_or(|at_ms| at_ms > now_ms) {
            return Ok(());
        }
        // Where there was nothing to probe with, new deliveries are attempted by themselves.
        let apart_ms = policy.probes_apart_ms();
        if self.probed_at_ms.is_some_and(|at_ms| now_ms.saturating_sub(at_ms) < apart_ms) {
            return Ok(());
        }
        self.probed_at_ms = Some(now_ms);
        let destination = Arc::clone(&self.options.destination);
        if let Some(rescheduled) = self.deliveries.schedule_next_now(&destination).await? {
            self.probe = Some(rescheduled);
            self.claim_at = Instant::now();
        }
        Ok(())
    }
}
