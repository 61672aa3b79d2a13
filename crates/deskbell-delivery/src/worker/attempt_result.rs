//! What an attempt came to, and what follows from it for the delivery.

use std::time::Duration;

use deskbell_store::clock::whole_ms;
use deskbell_store::deliveries::{AttemptRecord, ClaimId, REPLY_BYTES_MAX, Settlement, Verdict};
use tokio::time::Instant;

use crate::attempt::{Attempt, Outcome};
use crate::retry::{Failed, RetryPolicy};
use crate::words::in_words;

/// What must be known of a delivery once its attempt has ended.
#[derive(Debug)]
pub(super) struct AttemptContext {
    pub(super) claim: ClaimId,
    pub(super) message_id: String,
    pub(super) event_type: String,
    /// Its event is one of the engine's own.
    pub(super) is_notice: bool,
    /// When it would have been due, if it was rescheduled.
    pub(super) was_due_ms: Option<i64>,
    /// The number of this attempt, from 1.
    pub(super) number: u32,
    /// How long ago the first attempt began when this one began.
    pub(super) first_attempt_ago: Duration,
    pub(super) began: Instant,
    /// The same by the store's clock.
    pub(super) began_ms: i64,
    /// When it is no longer worth sending.
    pub(super) expires_at_ms: Option<i64>,
}

/// An attempt that has ended.
#[derive(Debug)]
pub(super) struct AttemptResult {
    pub(super) context: AttemptContext,
    pub(super) attempt: Attempt,
    pub(super) took: Duration,
}

impl AttemptResult {
    /// When it ended, by the store's clock.
    pub(super) fn ended_at_ms(&self) -> i64 {
        self.context.began_ms.saturating_add(whole_ms(self.took))
    }

    pub(super) fn settlement(self, policy: &RetryPolicy, random: f64) -> Settlement {
        let verdict = self.verdict(policy, random);
        let error = match &self.attempt.outcome {
            Outcome::Delivered => None,
            Outcome::Retry { reason, .. }
            | Outcome::Reject { reason }
            | Outcome::Gone { reason } => Some(reason.clone()),
        };
        let Self { context, mut attempt, took } = self;
        attempt.reply.truncate(REPLY_BYTES_MAX);
        let record = AttemptRecord {
            ago: context.began.elapsed(),
            duration: took,
            status: attempt.status,
            error,
            reply: attempt.reply,
        };
        Settlement { claim: context.claim, attempt: Some(record), verdict }
    }

    fn verdict(&self, policy: &RetryPolicy, random: f64) -> Verdict {
        let (after, reason) = match &self.attempt.outcome {
            Outcome::Delivered => return Verdict::Delivered,
            Outcome::Reject { reason } | Outcome::Gone { reason } => {
                return Verdict::DeadLetter(reason.clone());
            }
            Outcome::Retry { after, reason } => (*after, reason),
        };
        // This attempt was made beside the schedule, which goes on as if there had been none.
        let left_ms =
            self.context.was_due_ms.map(|due_ms| due_ms.saturating_sub(self.ended_at_ms()));
        if let Some(left_ms) = left_ms.filter(|left_ms| *left_ms > 0) {
            let left = Duration::from_millis(left_ms.unsigned_abs());
            return Verdict::Retry(left.max(after.unwrap_or_default()));
        }
        let first_attempt_ago = self.context.first_attempt_ago + self.took;
        let failed =
            Failed { attempts: self.context.number, first_attempt_ago, retry_after: after };
        let Some(wait) = policy.next(failed, random) else {
            let attempts = match self.context.number {
                1 => "1 attempt".to_owned(),
                attempts => {
                    format!("{attempts} attempts in {}", in_words(whole_ms(first_attempt_ago)))
                }
            };
            return Verdict::DeadLetter(format!("failed permanently after {attempts}: {reason}"));
        };
        match self.context.expires_at_ms {
            Some(at_ms) if self.ended_at_ms().saturating_add(whole_ms(wait)) >= at_ms => {
                Verdict::DeadLetter(format!(
                    "its one-time code expires before the next attempt: {reason}"
                ))
            }
            _ => Verdict::Retry(wait),
        }
    }
}
