//! The deliveries that the worker has claimed and not attempted yet, and when it asks for more.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use deskbell_config::ONE_TIME_CODES;
use deskbell_store::clock::whole_ms;
use deskbell_store::deliveries::{Claim, ClaimId, Claimed, ClaimedDelivery, Settlement, Verdict};
use deskbell_store::{Origin, StoredEvent};
use tokio::time::Instant;

use crate::delivery_config::WorkerOptions;

/// Claimed deliveries for each one in flight, so that none waits for the store between two.
pub(super) const CLAIMED_PER_IN_FLIGHT: usize = 8;
/// Bytes of payload in one claim.
const CLAIM_BYTES_MAX: usize = 8 << 20;
/// How much longer a lease is than the attempts that fit into it.
const LEASE_MARGIN: Duration = Duration::from_secs(30);
/// How long a delivery that carries a one-time code is worth attempting.
const ONE_TIME_CODE_LIFE: Duration = Duration::from_secs(15 * 60);

/// Claimed deliveries, the longest due first.
#[derive(Debug)]
pub(super) struct Claims {
    destination: Arc<str>,
    timeout: Duration,
    poll_every: Duration,
    waiting: VecDeque<LeasedDelivery>,
    ask_at: Instant,
}

/// A claimed delivery, and the time of its claim by this process's clock and by the store's.
#[derive(Debug)]
pub(super) struct LeasedDelivery {
    pub(super) delivery: ClaimedDelivery,
    pub(super) claimed_at: Instant,
    pub(super) claimed_at_ms: i64,
}

impl Claims {
    pub(super) fn new(options: &WorkerOptions) -> Self {
        Self {
            destination: Arc::clone(&options.destination),
            timeout: options.delivery.timeout.0,
            poll_every: options.poll_every,
            waiting: VecDeque::new(),
            ask_at: Instant::now(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// When the store is asked for more.
    pub(super) fn ask_at(&self) -> Instant {
        self.ask_at
    }

    /// Asks the store at this time, where it was to be asked later.
    pub(super) fn ask_by(&mut self, at: Instant) {
        self.ask_at = self.ask_at.min(at);
    }

    /// What to ask the store for.
    pub(super) fn request(&self, deliveries_max: usize) -> Claim {
        Claim {
            destination: self.destination.to_string(),
            deliveries_max: u32::try_from(deliveries_max).unwrap_or(u32::MAX),
            bytes_max: CLAIM_BYTES_MAX,
            lease: self.lease(),
        }
    }

    /// Takes what the store answered to a request of this time.
    pub(super) fn add(&mut self, claimed: Claimed, claimed_at: Instant) {
        let Claimed { deliveries, next_due, now_ms: claimed_at_ms } = claimed;
        self.ask_at = claimed_at + next_due.unwrap_or(self.poll_every).min(self.poll_every);
        let leased = |delivery| LeasedDelivery { delivery, claimed_at, claimed_at_ms };
        self.waiting.extend(deliveries.into_iter().map(leased));
    }

    /// The next one; `None` where its lease would end before its attempt. It is due again then.
    pub(super) fn pop(&mut self, now: Instant) -> Option<LeasedDelivery> {
        let next = self.waiting.pop_front()?;
        let ends = next.claimed_at + self.lease();
        (now + self.timeout + LEASE_MARGIN / 2 <= ends).then_some(next)
    }

    /// Empties it, to give the claims back.
    pub(super) fn drain(&mut self) -> Vec<ClaimId> {
        self.waiting.drain(..).map(|leased| leased.delivery.claim).collect()
    }

    /// Time enough to attempt everything that is claimed at once.
    fn lease(&self) -> Duration {
        let rounds = u32::try_from(CLAIMED_PER_IN_FLIGHT + 1).unwrap_or(u32::MAX);
        self.timeout * rounds + LEASE_MARGIN
    }
}

impl LeasedDelivery {
    /// The time by the store's clock.
    pub(super) fn store_ms(&self, now: Instant) -> i64 {
        self.claimed_at_ms.saturating_add(whole_ms(now - self.claimed_at))
    }

    /// Its settlement, where it carries a one-time code that nobody can use any more.
    pub(super) fn expired(&self, now: Instant) -> Option<Settlement> {
        let expires_at_ms = expires_at_ms(&self.delivery.event)?;
        (self.store_ms(now) >= expires_at_ms).then(|| Settlement {
            claim: self.delivery.claim,
            attempt: None,
            verdict: Verdict::DeadLetter(
                "it carries a one-time code and is more than 15 minutes old".to_owned(),
            ),
        })
    }
}

/// When an event that carries a one-time code stops being worth sending. One that was read from the
/// sender's record may be old when the log gets it.
pub(super) fn expires_at_ms(event: &StoredEvent) -> Option<i64> {
    if !ONE_TIME_CODES.contains(&event.event_type.as_str()) {
        return None;
    }
    let began_at_ms = match event.origin {
        Origin::SenderRecord => event.received_at_ms.min(event.occurred_at_ms),
        _ => event.received_at_ms,
    };
    Some(began_at_ms.saturating_add(whole_ms(ONE_TIME_CODE_LIFE)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_that_was_fetched_is_as_old_as_it_is() {
        let of = |origin, event_type: &str| {
            let mut event = testkit::event("msg_1", event_type).at(1_000).stored(1);
            (event.received_at_ms, event.origin) = (500_000, origin);
            expires_at_ms(&event)
        };
        let life_ms = whole_ms(ONE_TIME_CODE_LIFE);
        assert_eq!(of(Origin::SenderRecord, "email.created"), Some(1_000 + life_ms));
        assert_eq!(of(Origin::Webhook, "email.created"), Some(500_000 + life_ms));
        assert_eq!(of(Origin::SenderRecord, "user.created"), None);
    }
}
