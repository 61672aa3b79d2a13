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
        let told = transition.map(|transition| Told::new(&self.health, transition, at_ms));
        self.transitions.extend(told);
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
        while let Some(told) = self.transitions.pop_front() {
            let destination = &self.options.destination;
            log_it(destination, &told.transition);
            let Some(log) = &self.log else { continue };
            let event = notice(destination, &told);
            match log.append(event).await {
                Ok(_) => {}
                Err(SubmitError::Stopped) => return,
                Err(error) => {
                    tracing::warn!(%destination, %error, "a notice waits for the log");
                    self.transitions.push_front(told);
                    return;
                }
            }
        }
    }
}

/// Something that people are told.
#[derive(Debug)]
pub(super) struct Told {
    transition: Transition,
    at_ms: i64,
    /// When the trouble began that it is about: workers of several processes find the same out,
    /// a moment apart, and it is one notice.
    trouble_since_ms: i64,
}

impl Told {
    fn new(before: &DestinationHealth, transition: Transition, at_ms: i64) -> Self {
        let since_ms = before.failing_since_ms.or(before.first_failure_at_ms);
        Self { transition, at_ms, trouble_since_ms: since_ms.unwrap_or(at_ms) }
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

fn notice(destination: &str, told: &Told) -> deskbell_store::NewEvent {
    let name = destination.to_owned();
    let enable = format!("deskbell destinations enable {destination}");
    let (event_type, subject, text) = match &told.transition {
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
    let since_ms = told.trouble_since_ms;
    let transition = match told.transition {
        Transition::Failing { percent, .. } => format!("{event_type}_{since_ms}_{percent}"),
        _ => format!("{event_type}_{since_ms}"),
    };
    Notice { destination: name, subject, text }.into_event(event_type, &transition, told.at_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_that_find_the_same_out_write_one_notice() {
        let since = |since_ms| DestinationHealth {
            failing_since_ms: Some(since_ms),
            ..DestinationHealth::default()
        };
        let id = |since_ms, percent, at_ms| {
            let transition = Transition::Failing { percent, left_ms: 1 };
            notice("crm", &Told::new(&since(since_ms), transition, at_ms)).message_id
        };
        assert_eq!(id(1_000, 50, 9_000), id(1_000, 50, 9_001), "a moment apart");
        assert_ne!(id(1_000, 50, 9_000), id(1_000, 70, 9_000), "further on the way");
        assert_ne!(id(1_000, 50, 9_000), id(2_000, 50, 9_000), "another trouble");
    }
}
