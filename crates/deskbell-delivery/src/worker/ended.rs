//! An attempt from its beginning to what follows from it.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use deskbell_store::deliveries::{AttemptRecord, ClaimId, REPLY_BYTES_MAX, Settlement, Verdict};
use futures_util::FutureExt;
use tokio::time::Instant;

use super::millis;
use crate::attempt::{Attempt, Outcome};
use crate::channel::{Channel, Delivery};
use crate::health::in_words;
use crate::retry::{Failed, RetryPolicy};

/// What a channel that forgets its deadline is given beyond it.
const DEADLINE_MARGIN: Duration = Duration::from_millis(500);

/// What must be known of a delivery once its attempt is over.
#[derive(Debug)]
pub(super) struct Facts {
    pub(super) claim: ClaimId,
    pub(super) message_id: String,
    pub(super) event_type: String,
    /// Its event is one of the engine's own.
    pub(super) is_notice: bool,
    /// when it would have been due, if it was rescheduled.
    pub(super) was_due_ms: Option<i64>,
    /// Attempts, this one among them.
    pub(super) attempts: u32,
    /// How long ago the first one began when this one began.
    pub(super) first_attempt_ago: Duration,
    pub(super) began: Instant,
    /// The same by the store's clock.
    pub(super) began_ms: i64,
    /// When it is not worth sending any more.
    pub(super) lives_until_ms: Option<i64>,
}

/// An attempt that is over.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) facts: Facts,
    pub(super) attempt: Attempt,
    pub(super) took: Duration,
}

/// Makes the attempt. It ends in time, and it does not panic.
pub(super) async fn attempt(
    channel: Arc<dyn Channel>,
    delivery: Delivery,
    facts: Facts,
    timeout: Duration,
) -> Ended {
    let deadline = facts.began + timeout;
    let attempt = AssertUnwindSafe(channel.attempt(&delivery, deadline)).catch_unwind();
    let attempt = match tokio::time::timeout_at(deadline + DEADLINE_MARGIN, attempt).await {
        Ok(Ok(attempt)) => attempt,
        Ok(Err(_)) => {
            tracing::error!(
                destination = %delivery.destination,
                event.id = delivery.event.message_id,
                "an attempt panicked"
            );
            Attempt::failed("internal error during the attempt")
        }
        Err(_) => Attempt::failed(format!("no answer within {} s", timeout.as_secs_f64())),
    };
    let took = facts.began.elapsed();
    Ended { facts, attempt, took }
}

impl Ended {
    /// When it was over, by the store's clock.
    pub(super) fn at_ms(&self) -> i64 {
        self.facts.began_ms.saturating_add(millis(self.took))
    }

    pub(super) fn settlement(self, policy: &RetryPolicy, random: f64) -> Settlement {
        let verdict = self.verdict(policy, random);
        let error = match &self.attempt.outcome {
            Outcome::Delivered => None,
            Outcome::Retry { reason, .. }
            | Outcome::Reject { reason }
            | Outcome::Gone { reason } => Some(reason.clone()),
        };
        let Self { facts, mut attempt, took } = self;
        attempt.reply.truncate(REPLY_BYTES_MAX);
        let record = AttemptRecord {
            ago: facts.began.elapsed(),
            duration: took,
            status: attempt.status,
            error,
            reply: attempt.reply,
        };
        Settlement { claim: facts.claim, attempt: Some(record), verdict }
    }

    fn verdict(&self, policy: &RetryPolicy, random: f64) -> Verdict {
        let (after, reason) = match &self.attempt.outcome {
            Outcome::Delivered => return Verdict::Delivered,
            Outcome::Reject { reason } | Outcome::Gone { reason } => {
                return Verdict::DeadLetter(reason.clone());
            }
            Outcome::Retry { after, reason } => (*after, reason),
        };
        // The attempt was one more than its schedule has: it goes on as if there had been none.
        let left_ms = self.facts.was_due_ms.map(|due_ms| due_ms.saturating_sub(self.at_ms()));
        if let Some(left_ms) = left_ms.filter(|left_ms| *left_ms > 0) {
            let left = Duration::from_millis(left_ms.unsigned_abs());
            return Verdict::Retry(left.max(after.unwrap_or_default()));
        }
        let first_attempt_ago = self.facts.first_attempt_ago + self.took;
        let failed =
            Failed { attempts: self.facts.attempts, first_attempt_ago, retry_after: after };
        let Some(wait) = policy.next(failed, random) else {
            let attempts = match self.facts.attempts {
                1 => "1 attempt".to_owned(),
                attempts => {
                    format!("{attempts} attempts in {}", in_words(millis(first_attempt_ago)))
                }
            };
            return Verdict::DeadLetter(format!("failed permanently after {attempts}: {reason}"));
        };
        match self.facts.lives_until_ms {
            Some(until_ms) if self.at_ms().saturating_add(millis(wait)) >= until_ms => {
                Verdict::DeadLetter(format!(
                    "its one-time code expires before the next attempt: {reason}"
                ))
            }
            _ => Verdict::Retry(wait),
        }
    }
}
