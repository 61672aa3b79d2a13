//! What attempts say about the destination, and what people are told of it.

use deskbell_store::deliveries::DestinationHealth;
use deskbell_store::{StoreError, SubmitError};
use tokio::time::Instant;

use super::{Ended, Worker};
use crate::attempt::Outcome;
use crate::health::{Transition, in_words};
use crate::notice::Notice;

impl Worker {
    /// What this attempt says about the destination.
    ///
    /// A message that is refused for its own sake says nothing: the receiver is there, and does
    /// not want it.
    pub(super) fn note(&mut self, ended: &Ended) {
        let now = Instant::now();
        let at_ms = ended.at_ms();
        let policy = &self.options.health;
        let (health, transition) = match &ended.attempt.outcome {
            Outcome::Delivered => {
                self.breaker.succeeded();
                policy.after_success(&self.health)
            }
            Outcome::Retry { after, reason } => {
                self.breaker.failed(now, *after);
                policy.after_failure(&self.health, at_ms, reason)
            }
            Outcome::Gone { reason } => policy.after_gone(&self.health, at_ms, reason),
            Outcome::Reject { .. } => return,
        };
        self.transitions.extend(transition.map(|transition| (at_ms, transition)));
        self.health_changed |= health != self.health;
        self.health = health;
    }

    /// Writes down how the destination is, where that has changed, after telling people of it; and
    /// reads now and then whether somebody else has changed it.
    pub(super) async fn look_at_health(&mut self) -> Result<(), StoreError> {
        self.tell().await;
        if self.health_changed {
            self.deliveries.set_health(&self.options.destination, &self.health).await?;
            self.health_changed = false;
            self.health_read = Some(Instant::now());
        }
        let now = Instant::now();
        let is_due = self.health_read.is_none_or(|read| now - read >= self.options.poll_every);
        if is_due {
            self.read_health().await?;
        }
        Ok(())
    }

    async fn read_health(&mut self) -> Result<(), StoreError> {
        let all = self.deliveries.destinations().await?;
        let ours = all.into_iter().find(|state| state.name == self.options.destination);
        let health = ours.map_or_else(DestinationHealth::default, |state| state.health);
        if health.disabled.is_none() && self.health.disabled.is_some() {
            // Somebody has enabled it again: it gets a fresh start.
            self.breaker.succeeded();
            self.claim_at = Instant::now();
        }
        self.health = health;
        self.health_read = Some(Instant::now());
        Ok(())
    }

    /// Hands notices to the log. One that it does not take now is handed over again later: its
    /// message id tells which transition it is, so that twice is once.
    async fn tell(&mut self) {
        while let Some((at_ms, transition)) = self.transitions.pop_front() {
            let destination = &self.options.destination;
            log_it(destination, &transition);
            let Some(log) = &self.log else { continue };
            let event = notice(destination, &transition, at_ms);
            match log.append(event).await {
                Ok(_) => {}
                Err(SubmitError::Stopped) => return,
                Err(error) => {
                    tracing::warn!(%destination, %error, "a notice waits for the log");
                    self.transitions.push_front((at_ms, transition));
                    return;
                }
            }
        }
    }
}

fn log_it(destination: &str, transition: &Transition) {
    match transition {
        Transition::Failing { percent, left_ms } => tracing::warn!(
            destination,
            percent,
            left = in_words(*left_ms),
            "the destination fails everything, and will be disabled"
        ),
        Transition::Disabled { reason } => {
            tracing::error!(destination, reason, "the destination is disabled");
        }
        Transition::Recovered => tracing::info!(destination, "the destination works again"),
    }
}

fn notice(destination: &str, transition: &Transition, at_ms: i64) -> deskbell_store::NewEvent {
    let name = destination.to_owned();
    let enable = format!("deskbell destinations enable {destination}");
    let (event_type, subject, text) = match transition {
        Transition::Failing { percent, left_ms } => (
            "destination.failing",
            format!("{destination} is failing ({percent} % of the way to being disabled)"),
            format!(
                "Everything that Deskbell sends to the destination {destination} has been failing. \
                 Unless it works again within {}, it will be disabled. Nothing is lost: what is \
                 owed to it waits.",
                in_words(*left_ms)
            ),
        ),
        Transition::Disabled { reason } => (
            "destination.disabled",
            format!("{destination} is disabled"),
            format!(
                "Deskbell sends nothing to the destination {destination} any more: {reason}. What \
                 is owed to it is kept. Once it works again, run: {enable}"
            ),
        ),
        Transition::Recovered => (
            "destination.recovered",
            format!("{destination} works again"),
            format!("The destination {destination} takes what Deskbell sends again."),
        ),
    };
    let transition = format!("{event_type}_{at_ms}");
    Notice { destination: name, subject, text }.into_event(event_type, &transition, at_ms)
}
