//! The attempts that are being made.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use deskbell_config::NOTICE_SOURCE;
use futures_util::FutureExt;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::attempt_result::{AttemptContext, AttemptResult};
use super::claims::{LeasedDelivery, expires_at_ms};
use crate::attempt::Attempt;
use crate::channel::{Channel, Delivery};
use crate::delivery_config::WorkerOptions;

/// How long a channel that misses its deadline is waited for beyond it.
const DEADLINE_MARGIN: Duration = Duration::from_millis(500);

/// Attempts at one destination, each a task of its own.
#[derive(Debug)]
pub(super) struct InFlight {
    channel: Arc<dyn Channel>,
    destination: Arc<str>,
    timeout: Duration,
    attempts: JoinSet<AttemptResult>,
}

impl InFlight {
    pub(super) fn new(channel: Arc<dyn Channel>, options: &WorkerOptions) -> Self {
        Self {
            channel,
            destination: Arc::clone(&options.destination),
            timeout: options.delivery.timeout.0,
            attempts: JoinSet::new(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.attempts.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.attempts.is_empty()
    }

    /// Begins an attempt. `was_due_ms`: when it would have been due, if it was rescheduled.
    pub(super) fn begin(&mut self, leased: LeasedDelivery, was_due_ms: Option<i64>, now: Instant) {
        // By the store's clock: a receiver refuses what is signed by one that is minutes off.
        let began_ms = leased.store_ms(now);
        let LeasedDelivery { delivery, claimed_at, .. } = leased;
        let first_attempt_ago = delivery.first_attempt_ago.map(|ago| ago + (now - claimed_at));
        let context = AttemptContext {
            claim: delivery.claim,
            message_id: delivery.event.message_id.clone(),
            event_type: delivery.event.event_type.clone(),
            is_notice: *delivery.event.source == *NOTICE_SOURCE,
            was_due_ms,
            number: delivery.attempts + 1,
            first_attempt_ago: first_attempt_ago.unwrap_or_default(),
            began: now,
            began_ms,
            expires_at_ms: expires_at_ms(&delivery.event),
        };
        let delivery = Delivery {
            destination: Arc::clone(&self.destination),
            attempt: delivery.attempts + 1,
            event: delivery.event,
            first_attempt_ago,
            sent_at_seconds: u64::try_from(began_ms / 1000).unwrap_or_default(),
        };
        let channel = Arc::clone(&self.channel);
        self.attempts.spawn(attempt(channel, delivery, context, self.timeout));
    }

    /// Waits for the next one that ends; `None` where nothing is in flight.
    pub(super) async fn next(&mut self) -> Option<AttemptResult> {
        // A panic of the channel's is caught; what fails here is cut off by the end of the runtime.
        while let Some(ended) = self.attempts.join_next().await {
            if let Ok(result) = ended {
                return Some(result);
            }
        }
        None
    }

    /// Ends what is left.
    pub(super) async fn cut_off(&mut self) {
        self.attempts.shutdown().await;
    }
}

/// Makes the attempt. It ends in time, and it does not panic.
async fn attempt(
    channel: Arc<dyn Channel>,
    delivery: Delivery,
    context: AttemptContext,
    timeout: Duration,
) -> AttemptResult {
    let deadline = context.began + timeout;
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
    let took = context.began.elapsed();
    AttemptResult { context, attempt, took }
}
