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
            Attempt::failed("the attempt failed by a fault of this program")
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
        let first_attempt_ago = self.facts.first_attempt_ago + self.took;
        let failed =
            Failed { attempts: self.facts.attempts, first_attempt_ago, retry_after: after };
        let Some(wait) = policy.next(failed, random) else {
            let (attempts, time) = (self.facts.attempts, in_words(millis(first_attempt_ago)));
            let plural = if attempts == 1 { "" } else { "s" };
            let reason = format!("gave up after {attempts} attempt{plural} in {time}: {reason}");
            return Verdict::DeadLetter(reason);
        };
        match self.facts.lives_until_ms {
            Some(until_ms) if self.at_ms().saturating_add(millis(wait)) >= until_ms => {
                Verdict::DeadLetter(format!(
                    "it carries a one-time code, which is over before the next attempt: {reason}"
                ))
            }
            _ => Verdict::Retry(wait),
        }
    }
}
