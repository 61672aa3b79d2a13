//! A destination's worker: claims what is due, has it attempted, settles what came of it.
//!
//! The connections never wait for the store: while it claims or settles a batch, attempts end and
//! others begin.

mod ended;
mod options;
mod report;
mod stop;
mod watch_health;

use std::collections::VecDeque;
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use deskbell_store::deliveries::{
    BroughtForward, Claim, Claimed, ClaimedDelivery, DestinationHealth, Settlement, Verdict,
};
use deskbell_store::{Deliveries, StoreError};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use self::ended::Ended;
pub use self::options::WorkerOptions;
use self::report::Failures;
use crate::breaker::{Allowed, Breaker};
use crate::channel::{Channel, Delivery};
use crate::filter::ONE_TIME_CODES;
use crate::health::ObservedAttempts;
use crate::notice::NOTICE_SOURCE;
use crate::rate_limiter::RateLimiter;

/// Claimed deliveries for every one in flight, so that none waits for the store between two.
const CLAIMED_PER_IN_FLIGHT: usize = 8;
/// Attempts that are over and not written down yet, for every one in flight: a process that dies
/// makes those again too.
const UNSETTLED_PER_IN_FLIGHT: usize = 2;
/// Bytes of payload in one claim.
const CLAIM_BYTES_MAX: usize = 8 << 20;
/// What a lease is longer than the attempts that fit into it.
const LEASE_MARGIN: Duration = Duration::from_secs(30);
/// How long a delivery that carries a one-time code is worth attempting.
const ONE_TIME_CODE_LIFE: Duration = Duration::from_secs(15 * 60);
/// Between tries while the store is away.
const STORE_PAUSE: Duration = Duration::from_millis(500);

/// Carries the deliveries of one destination.
#[derive(Debug)]
pub struct Worker {
    deliveries: Arc<dyn Deliveries>,
    channel: Arc<dyn Channel>,
    options: WorkerOptions,
    /// As the store knew it when it was last asked.
    health: DestinationHealth,
    health_read: Option<Instant>,
    failures: Failures,
    /// What the store does not know of it yet.
    observed: ObservedAttempts,
    /// Why an attempt last failed.
    last_failure: Option<String>,
    /// The delivery that was last brought forward, and when the store was asked for one.
    brought_forward: Option<BroughtForward>,
    probed_at_ms: Option<i64>,
    /// Deliveries that were given up on, and that the store has not added up yet.
    dead_letters: u32,
    breaker: Breaker,
    rate_limiter: RateLimiter,
    claimed: VecDeque<InHand>,
    in_flight: JoinSet<Ended>,
    /// Attempts that are over and not written down yet.
    settlements: Vec<Settlement>,
    /// How many are being written down.
    settling: usize,
    /// When the store is asked again for something to do.
    claim_at: Instant,
    /// It was asked since something was last settled.
    has_asked: bool,
    /// How long it was until more was due then.
    next_due: Option<Duration>,
}

/// A claimed delivery that has not been attempted.
#[derive(Debug)]
struct InHand {
    delivery: ClaimedDelivery,
    claimed_at: Instant,
    /// What the store's clock said then.
    claimed_at_ms: i64,
}

/// How often deliveries ended which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// How many arrived.
    pub delivered: u64,
    /// How many will be tried again.
    pub retried: u64,
    /// How many were given up on.
    pub dead_lettered: u64,
}

impl Worker {
    /// A worker for the destination that the options name, which must be registered. It does
    /// nothing before it is run.
    #[must_use]
    pub fn new(
        deliveries: Arc<dyn Deliveries>,
        channel: Arc<dyn Channel>,
        options: WorkerOptions,
    ) -> Self {
        Self {
            deliveries,
            channel,
            health: DestinationHealth::default(),
            health_read: None,
            failures: Failures::default(),
            observed: ObservedAttempts::default(),
            last_failure: None,
            brought_forward: None,
            probed_at_ms: None,
            dead_letters: 0,
            breaker: Breaker::new(options.probe.clone()),
            rate_limiter: RateLimiter::new(options.rate_limit),
            claimed: VecDeque::new(),
            in_flight: JoinSet::new(),
            settlements: Vec::new(),
            settling: 0,
            claim_at: Instant::now(),
            has_asked: false,
            next_due: None,
            options,
        }
    }

    /// Works until `shutdown`; then finishes what is in flight, for as long as the grace period,
    /// and gives the rest back.
    pub async fn run(mut self, shutdown: CancellationToken) {
        let due = self.deliveries.due(&self.options.destination);
        while !shutdown.is_cancelled() {
            let woken = due.notified();
            tokio::pin!(woken);
            // Before the store is asked: what becomes due in between wakes the wait below.
            woken.as_mut().enable();
            let next = match self.step(&mut Progress::default()).await {
                Ok(next) => next,
                Err(error) => self.wait_for_the_store(&error),
            };
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = &mut woken => self.claim_at = self.claim_at.min(Instant::now()),
                Some(ended) = self.in_flight.join_next() => self.take(ended),
                () = tokio::time::sleep_until(next) => {}
            }
        }
        self.finish().await;
    }

    /// Works until nothing can be done now, and nothing is in flight; what came of it, and how long
    /// it is until more is due.
    ///
    /// # Errors
    /// The store could not be read or written; nothing is lost, and calling again goes on.
    pub async fn run_until_idle(&mut self) -> Result<(Progress, Option<Duration>), StoreError> {
        let mut progress = Progress::default();
        self.claim_at = Instant::now();
        self.has_asked = false;
        loop {
            self.step(&mut progress).await?;
            if let Some(ended) = self.in_flight.join_next().await {
                self.take(ended);
                continue;
            }
            let is_done = self.claimed.is_empty() && self.has_asked;
            if self.settlements.is_empty() && (is_done || self.is_held(Instant::now())) {
                return Ok((progress, self.next_due));
            }
            self.claim_at = Instant::now();
        }
    }

    /// Nothing may be begun now, whatever is due.
    fn is_held(&self, now: Instant) -> bool {
        self.health.disabled.is_some() || self.room(now) == 0 || self.rate_limiter.next_at(now) > now
    }

    /// One round: settles what has ended, claims where there is room, begins attempts. When the
    /// next is worth it, if nothing happens before.
    async fn step(&mut self, progress: &mut Progress) -> Result<Instant, StoreError> {
        while let Some(ended) = self.in_flight.try_join_next() {
            self.take(ended);
        }
        self.watch_health().await?;
        self.begin_attempts();
        self.settle(progress).await?;
        self.begin_attempts();
        if self.breaker.is_open() {
            // Probes are claimed one by one; meanwhile nothing is kept from anybody.
            self.give_back().await?;
        }
        if self.wants_more() {
            self.claim().await?;
            self.begin_attempts();
        }
        Ok(self.next_round())
    }

    fn wants_more(&self) -> bool {
        let now = Instant::now();
        if self.health.disabled.is_some() || self.claim_at > now {
            return false;
        }
        if self.breaker.is_open() {
            return self.claimed.is_empty() && self.room(now) > 0;
        }
        // Before the last is begun, so that others are there when it is.
        self.claimed.len() < self.options.max_in_flight
    }

    /// How many more may be in flight.
    fn room(&self, now: Instant) -> usize {
        let at_most = match self.breaker.allowed(now) {
            Allowed::All => self.options.max_in_flight,
            Allowed::One => 1,
            Allowed::NothingUntil(_) => 0,
        };
        let unsettled = self.settlements.len() + self.settling;
        if unsettled >= self.options.max_in_flight * UNSETTLED_PER_IN_FLIGHT {
            return 0;
        }
        at_most.saturating_sub(self.in_flight.len())
    }

    async fn claim(&mut self) -> Result<(), StoreError> {
        let lease = self.lease();
        let at_most = if self.breaker.is_open() {
            1
        } else {
            self.options.max_in_flight * CLAIMED_PER_IN_FLIGHT
        };
        let in_time = self.rate_limiter.permits_in(self.options.timeout).max(1);
        let claim = Claim {
            destination: self.options.destination.to_string(),
            deliveries_max: u32::try_from(at_most.min(in_time)).unwrap_or(u32::MAX),
            bytes_max: CLAIM_BYTES_MAX,
            lease,
        };
        let claimed_at = Instant::now();
        let store = Arc::clone(&self.deliveries);
        let claimed = self.meanwhile(store.claim(&claim)).await?;
        let Claimed { deliveries, next_due, now_ms } = claimed;
        self.has_asked = true;
        self.next_due = next_due;
        let wait = next_due.unwrap_or(self.options.poll_every).min(self.options.poll_every);
        self.claim_at = claimed_at + wait;
        let in_hand = |delivery| InHand { delivery, claimed_at, claimed_at_ms: now_ms };
        self.claimed.extend(deliveries.into_iter().map(in_hand));
        Ok(())
    }

    /// Time enough for everything that is claimed at once to be attempted.
    fn lease(&self) -> Duration {
        let rounds = u32::try_from(CLAIMED_PER_IN_FLIGHT + 1).unwrap_or(u32::MAX);
        self.options.timeout * rounds + LEASE_MARGIN
    }

    fn begin_attempts(&mut self) {
        let now = Instant::now();
        while self.room(now) > 0 && !self.claimed.is_empty() && self.rate_limiter.try_acquire(now) {
            let Some(in_hand) = self.claimed.pop_front() else { break };
            if now + self.options.timeout + LEASE_MARGIN / 2 > in_hand.claimed_at + self.lease() {
                // It waited for too long. Its lease will end, and it is due as before.
                continue;
            }
            if let Some(settlement) = in_hand.expired(now) {
                self.dead_letters += 1;
                self.settlements.push(settlement);
                continue;
            }
            self.begin(in_hand, now);
        }
    }

    fn begin(&mut self, InHand { delivery, claimed_at, claimed_at_ms }: InHand, now: Instant) {
        let since_claim = now - claimed_at;
        let first_attempt_ago = delivery.first_attempt_ago.map(|ago| ago + since_claim);
        // By the store's clock: a receiver refuses what is signed by one that is minutes off.
        let began_ms = claimed_at_ms.saturating_add(millis(since_claim));
        let attempted = Delivery {
            destination: Arc::clone(&self.options.destination),
            attempt: delivery.attempts + 1,
            event: delivery.event,
            first_attempt_ago,
            sent_at_seconds: u64::try_from(began_ms / 1000).unwrap_or_default(),
        };
        let brought_forward = self.brought_forward.filter(|one| one.seq == delivery.claim.seq);
        let facts = ended::Facts {
            claim: delivery.claim,
            message_id: attempted.event.message_id.clone(),
            event_type: attempted.event.event_type.clone(),
            is_notice: *attempted.event.source == *NOTICE_SOURCE,
            was_due_ms: brought_forward.map(|one| one.due_at_ms),
            attempts: delivery.attempts + 1,
            first_attempt_ago: first_attempt_ago.unwrap_or_default(),
            began: now,
            began_ms,
            lives_until_ms: lives_until_ms(&attempted.event),
        };
        let channel = Arc::clone(&self.channel);
        let timeout = self.options.timeout;
        self.in_flight.spawn(ended::attempt(channel, attempted, facts, timeout));
    }

    /// Notes what came of an attempt, for the next round to settle.
    fn take(&mut self, ended: Result<Ended, tokio::task::JoinError>) {
        // An attempt's own panic is caught; what is left is the end of the runtime.
        let Ok(ended) = ended else { return };
        self.failures.report(&self.options.destination, &ended);
        self.note(&ended);
        let is_notice = ended.facts.is_notice;
        let settlement = ended.settlement(&self.options.retry, rand::random());
        // An alert that is given up on is not alerted about: that would not end.
        if matches!(settlement.verdict, Verdict::DeadLetter(_)) && !is_notice {
            self.dead_letters += 1;
        }
        self.settlements.push(settlement);
    }

    async fn settle(&mut self, progress: &mut Progress) -> Result<(), StoreError> {
        if self.settlements.is_empty() {
            return Ok(());
        }
        let deliveries = Arc::clone(&self.deliveries);
        let destination = Arc::clone(&self.options.destination);
        // Before they are dead letters: counted twice after a crash rather than not at all.
        if self.dead_letters > 0 {
            deliveries.add_dead_letters(&destination, self.dead_letters).await?;
            self.dead_letters = 0;
        }
        let batch = mem::take(&mut self.settlements);
        self.settling = batch.len();
        let settled = self.meanwhile(deliveries.settle(&destination, &batch)).await;
        self.settling = 0;
        let lost = match settled {
            Ok(lost) => lost,
            Err(error) => {
                self.settlements.splice(..0, batch);
                return Err(error);
            }
        };
        if lost > 0 {
            tracing::warn!(%destination, deliveries = lost, "attempts took longer than their \
                lease and may be repeated and may be repeated and may be repeated and may be \
                repeated");
        }
        self.has_asked = false;
        let now = Instant::now();
        for settlement in &batch {
            progress.count(&settlement.verdict);
            if let Verdict::Retry(wait) = settlement.verdict {
                self.claim_at = self.claim_at.min(now + wait);
            }
            report::settled(&destination, settlement);
        }
        Ok(())
    }

    /// Waits for the store; meanwhile attempts end, and others begin.
    async fn meanwhile<T>(&mut self, store: impl Future<Output = T>) -> T {
        tokio::pin!(store);
        loop {
            tokio::select! {
                biased;
                answer = &mut store => return answer,
                Some(ended) = self.in_flight.join_next() => {
                    self.take(ended);
                    self.begin_attempts();
                }
            }
        }
    }

    fn next_round(&self) -> Instant {
        let now = Instant::now();
        let poll = now + self.options.poll_every;
        if !self.settlements.is_empty() {
            return now;
        }
        if self.health.disabled.is_some() {
            return poll;
        }
        let allowed = match self.breaker.allowed(now) {
            Allowed::NothingUntil(until) => until,
            _ => now,
        };
        let next = if self.claimed.is_empty() {
            self.claim_at.max(allowed)
        } else if self.room(now) > 0 || allowed > now {
            self.rate_limiter.next_at(now).max(allowed)
        } else {
            poll
        };
        next.min(poll)
    }

    fn wait_for_the_store(&self, error: &StoreError) -> Instant {
        tracing::error!(
            destination = %self.options.destination,
            error = error as &dyn std::error::Error,
            "deliveries are waiting for the store"
        );
        Instant::now() + STORE_PAUSE
    }
}

impl InHand {
    /// Its end, where it carries a one-time code that nobody can use any more.
    fn expired(&self, now: Instant) -> Option<Settlement> {
        let until_ms = lives_until_ms(&self.delivery.event)?;
        let now_ms = self.claimed_at_ms.saturating_add(millis(now - self.claimed_at));
        (now_ms >= until_ms).then(|| Settlement {
            claim: self.delivery.claim,
            attempt: None,
            verdict: Verdict::DeadLetter(
                "it carries a one-time code and is more than 15 minutes old".to_owned(),
            ),
        })
    }
}

impl Progress {
    fn count(&mut self, verdict: &Verdict) {
        match verdict {
            Verdict::Delivered => self.delivered += 1,
            Verdict::Retry(_) => self.retried += 1,
            Verdict::DeadLetter(_) => self.dead_lettered += 1,
        }
    }
}

/// When an event that carries a one-time code stops being worth sending.
fn lives_until_ms(event: &deskbell_store::StoredEvent) -> Option<i64> {
    ONE_TIME_CODES
        .contains(&event.event_type.as_str())
        .then(|| event.received_at_ms.saturating_add(millis(ONE_TIME_CODE_LIFE)))
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
