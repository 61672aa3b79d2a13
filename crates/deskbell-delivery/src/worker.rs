//! A destination's worker: claims what is due, has it attempted, and settles what came of it.
//!
//! The connections never wait for the store: while it claims or settles a batch, attempts end and
//! others begin.

mod attempt_result;
mod claims;
mod health;
mod in_flight;
mod report;
mod settlements;

use std::sync::Arc;
use std::time::Duration;

use deskbell_store::clock::whole_ms;
use deskbell_store::deliveries::{DeliveryQueue, Ordering, Settlement, Verdict};
use deskbell_store::{Backoff, StoreError};
use futures_util::FutureExt;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use self::attempt_result::AttemptResult;
use self::claims::{CLAIMED_PER_IN_FLIGHT, Claims};
use self::health::HealthMonitor;
use self::in_flight::InFlight;
use self::report::AttemptLog;
use self::settlements::Settlements;
use crate::breaker::{Allowed, Breaker};
use crate::channel::Channel;
use crate::delivery_config::{DeliveryConfig, WorkerOptions};
use crate::rate_limiter::RateLimiter;

/// Attempts that have ended and are not written down yet, for each one in flight: a process that
/// dies makes those again too.
const UNSETTLED_PER_IN_FLIGHT: usize = 2;
/// The longest pause between rounds while the store is unreachable.
const BACKOFF_MAX: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub struct Worker {
    deliveries: Arc<dyn DeliveryQueue>,
    options: WorkerOptions,
    health: HealthMonitor,
    breaker: Breaker,
    rate_limiter: RateLimiter,
    claims: Claims,
    in_flight: InFlight,
    settlements: Settlements,
    log: AttemptLog,
}

/// What came of a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WorkerProgress {
    pub claimed: u64,
    pub delivered: u64,
    /// Deliveries that will be tried again.
    pub retried: u64,
    /// Deliveries that were given up on.
    pub dead_lettered: u64,
    /// How long it is until more is due, where the store was asked and knows of some.
    pub next_due: Option<Duration>,
}

impl Worker {
    /// A worker for the destination that the options name, which must be registered. It does
    /// nothing before it is run.
    #[must_use]
    pub fn new(
        deliveries: Arc<dyn DeliveryQueue>,
        channel: Arc<dyn Channel>,
        options: WorkerOptions,
    ) -> Self {
        Self {
            deliveries,
            health: HealthMonitor::new(&options),
            breaker: Breaker::new(options.probe.clone()),
            rate_limiter: RateLimiter::new(options.delivery.rate_limit),
            claims: Claims::new(&options),
            in_flight: InFlight::new(channel, &options),
            settlements: Settlements::default(),
            log: AttemptLog::default(),
            options,
        }
    }

    /// Works until `shutdown`; then finishes what is in flight, for as long as the grace period,
    /// and gives the rest back.
    pub async fn run(mut self, shutdown: CancellationToken) {
        let due = self.deliveries.due(&self.options.destination);
        let mut backoff = Backoff::new(BACKOFF_MAX);
        while !shutdown.is_cancelled() {
            let woken = due.notified();
            tokio::pin!(woken);
            // Before the store is asked: what becomes due in between wakes the wait below.
            woken.as_mut().enable();
            let next_round = match self.run_once().await {
                Ok(_) => {
                    backoff.reset();
                    self.next_round()
                }
                Err(error) => Instant::now() + self.report_error(&error, backoff.failed()),
            };
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = &mut woken => self.claims.ask_by(Instant::now()),
                Some(result) = self.in_flight.next() => self.take(result),
                () = tokio::time::sleep_until(next_round) => {}
            }
        }
        self.finish().await;
    }

    /// Works until nothing can be done now, and nothing is in flight.
    ///
    /// # Errors
    /// The store could not be read or written; nothing is lost, and calling again goes on.
    pub async fn run_until_idle(&mut self) -> Result<WorkerProgress, StoreError> {
        let mut sum = WorkerProgress::default();
        loop {
            if self.in_flight.is_empty() {
                self.claims.ask_by(Instant::now());
            }
            let round = self.run_once().await?;
            sum.add(round);
            if let Some(result) = self.in_flight.next().await {
                self.take(result);
            } else if round.is_idle() && self.settlements.is_empty() {
                return Ok(sum);
            }
        }
    }

    /// One round: settles what has ended, claims where there is room, and begins attempts. It does
    /// not wait for those.
    ///
    /// # Errors
    /// The store could not be read or written; nothing is lost, and calling again goes on.
    pub async fn run_once(&mut self) -> Result<WorkerProgress, StoreError> {
        let mut progress = WorkerProgress::default();
        while let Some(result) = self.in_flight.next().now_or_never().flatten() {
            self.take(result);
        }
        self.watch_health().await?;
        if self.settle_at().is_some_and(|at| at <= Instant::now()) {
            self.settle(&mut progress).await?;
        }
        if self.claims_too_many() {
            self.give_back().await?;
        }
        if self.wants_more() {
            self.claim(&mut progress).await?;
        }
        self.begin_attempts();
        Ok(progress)
    }

    async fn watch_health(&mut self) -> Result<(), StoreError> {
        let store = &*self.deliveries;
        let Some(refreshed) = self.health.refresh_when_due(store).await? else { return Ok(()) };
        if refreshed.is_enabled_again {
            self.breaker.succeeded();
            self.claims.ask_by(Instant::now());
        }
        if self.health.probe(store, refreshed).await? {
            self.claims.ask_by(Instant::now());
        }
        Ok(())
    }

    /// When what has ended is settled: at once where nothing else is in flight or waits for it.
    fn settle_at(&self) -> Option<Instant> {
        let DeliveryConfig { ordering, max_in_flight, .. } = self.options.delivery;
        let gathers = ordering != Some(Ordering::Subject) && !self.in_flight.is_empty();
        self.settlements.write_at(if gathers { max_in_flight } else { 1 })
    }

    async fn settle(&mut self, progress: &mut WorkerProgress) -> Result<(), StoreError> {
        if self.settlements.is_empty() {
            return Ok(());
        }
        let deliveries = Arc::clone(&self.deliveries);
        let destination = Arc::clone(&self.options.destination);
        // Before they are dead letters: counted twice after a crash rather than not at all.
        if self.settlements.dead_letters > 0 {
            deliveries.add_dead_letters(&destination, self.settlements.dead_letters).await?;
            self.settlements.dead_letters = 0;
        }
        let batch = self.settlements.start_write();
        match self.meanwhile(deliveries.settle(&destination, &batch)).await {
            Ok(0) => {}
            Ok(lost) => {
                tracing::warn!(%destination, deliveries = lost, "attempts took longer than their lease and may be repeated");
            }
            Err(error) => {
                self.settlements.put_back(batch);
                return Err(error);
            }
        }
        self.settlements.written();
        self.settled(&batch, progress);
        Ok(())
    }

    fn settled(&mut self, batch: &[Settlement], progress: &mut WorkerProgress) {
        let now = Instant::now();
        for settlement in batch {
            progress.count(&settlement.verdict);
            if let Verdict::Retry(wait) = settlement.verdict {
                self.claims.ask_by(now + wait);
            }
            report::settled(&self.options.destination, settlement);
        }
    }

    /// Probes are claimed one by one; meanwhile nothing is kept from anybody.
    fn claims_too_many(&self) -> bool {
        self.breaker.is_open() && (self.claims.len() > 1 || self.room(Instant::now()) == 0)
    }

    fn wants_more(&self) -> bool {
        let now = Instant::now();
        if self.health.is_disabled() || self.claims.ask_at() > now {
            return false;
        }
        if self.breaker.is_open() {
            return self.claims.is_empty() && self.room(now) > 0;
        }
        // Before the last is begun, so that others are there when it is.
        self.claims.len() < self.options.delivery.max_in_flight
    }

    async fn claim(&mut self, progress: &mut WorkerProgress) -> Result<(), StoreError> {
        let at_most = match self.breaker.is_open() {
            true => 1,
            false => self.options.delivery.max_in_flight * CLAIMED_PER_IN_FLIGHT,
        };
        let in_time = self.rate_limiter.permits_in(self.options.delivery.timeout.0).max(1);
        let request = self.claims.request(at_most.min(in_time));
        let (deliveries, claimed_at) = (Arc::clone(&self.deliveries), Instant::now());
        let claimed = self.meanwhile(deliveries.claim(&request)).await?;
        progress.claimed += u64::try_from(claimed.deliveries.len()).unwrap_or(u64::MAX);
        progress.next_due = claimed.next_due;
        self.claims.add(claimed, claimed_at);
        Ok(())
    }

    /// Lets others have what is claimed and not begun.
    async fn give_back(&mut self) -> Result<(), StoreError> {
        if self.claims.is_empty() {
            return Ok(());
        }
        let claims = self.claims.drain();
        self.deliveries.release(&self.options.destination, &claims).await
    }

    /// Waits for the store; meanwhile attempts end, and others begin.
    async fn meanwhile<T>(&mut self, store: impl Future<Output = T>) -> T {
        tokio::pin!(store);
        loop {
            self.begin_attempts();
            tokio::select! {
                biased;
                answer = &mut store => return answer,
                Some(result) = self.in_flight.next() => self.take(result),
            }
        }
    }

    fn begin_attempts(&mut self) {
        let now = Instant::now();
        while self.room(now) > 0 && !self.claims.is_empty() && self.rate_limiter.try_acquire(now) {
            let Some(leased) = self.claims.pop(now) else { continue };
            if let Some(settlement) = leased.expired(now) {
                self.settlements.push(settlement, false);
                continue;
            }
            let was_due_ms = self.health.was_due_ms(leased.delivery.claim.seq);
            self.in_flight.begin(leased, was_due_ms, now);
        }
    }

    /// How many more may be in flight.
    fn room(&self, now: Instant) -> usize {
        let at_most = match self.breaker.allowed(now) {
            Allowed::All => self.options.delivery.max_in_flight,
            Allowed::One => 1,
            Allowed::NothingUntil(_) => 0,
        };
        if self.settlements.len() >= self.options.delivery.max_in_flight * UNSETTLED_PER_IN_FLIGHT {
            return 0;
        }
        at_most.saturating_sub(self.in_flight.len())
    }

    /// Notes what came of an attempt, for the next round to settle.
    fn take(&mut self, result: AttemptResult) {
        self.log.report(&self.options.destination, &result);
        self.breaker.observe(&result.attempt.outcome, Instant::now());
        self.health.observe(&result);
        let is_notice = result.context.is_notice;
        self.settlements
            .push(result.settlement(&self.options.delivery.retry, rand::random()), is_notice);
    }

    /// Gives back what was not begun, and waits for the rest as long as the grace period.
    async fn finish(&mut self) {
        let destination = Arc::clone(&self.options.destination);
        if let Err(error) = self.give_back().await {
            tracing::debug!(%destination, %error, "cannot release claims; they expire with their lease");
        }
        let deadline = Instant::now() + self.options.grace;
        while let Ok(Some(result)) = tokio::time::timeout_at(deadline, self.in_flight.next()).await
        {
            self.take(result);
        }
        let cut_off = self.in_flight.len();
        if cut_off > 0 {
            tracing::warn!(%destination, deliveries = cut_off, "attempts were cut off; they will be repeated");
        }
        self.in_flight.cut_off().await;
        if let Err(error) = self.settle(&mut WorkerProgress::default()).await {
            tracing::error!(
                %destination,
                error = &error as &dyn std::error::Error,
                "cannot store the results of the last attempts; the attempts will be repeated"
            );
        }
        if let Err(error) = self.health.flush(&*self.deliveries).await {
            let error = &error as &dyn std::error::Error;
            tracing::debug!(%destination, error, "cannot store the destination's health");
        }
    }

    /// When the next round is worth it, if nothing happens before.
    fn next_round(&self) -> Instant {
        let now = Instant::now();
        let poll = now + self.options.poll_every;
        let poll = self.settle_at().map_or(poll, |at| poll.min(at.max(now)));
        if self.health.is_disabled() {
            return poll;
        }
        let allowed = match self.breaker.allowed(now) {
            Allowed::NothingUntil(until) => until,
            _ => now,
        };
        let next = if self.claims.is_empty() {
            self.claims.ask_at().max(allowed)
        } else if self.room(now) > 0 || allowed > now {
            self.rate_limiter.next_at(now).max(allowed)
        } else {
            poll
        };
        next.min(poll)
    }

    fn report_error(&self, error: &StoreError, retry_in: Duration) -> Duration {
        tracing::error!(
            destination = %self.options.destination,
            error = error as &dyn std::error::Error,
            retry_in_ms = whole_ms(retry_in),
            "deliveries are waiting for the store"
        );
        retry_in
    }
}

impl WorkerProgress {
    fn count(&mut self, verdict: &Verdict) {
        match verdict {
            Verdict::Delivered => self.delivered += 1,
            Verdict::Retry(_) => self.retried += 1,
            Verdict::DeadLetter(_) => self.dead_lettered += 1,
        }
    }

    fn add(&mut self, round: Self) {
        self.claimed += round.claimed;
        self.delivered += round.delivered;
        self.retried += round.retried;
        self.dead_lettered += round.dead_lettered;
        self.next_due = round.next_due;
    }

    fn is_idle(&self) -> bool {
        self.claimed + self.delivered + self.retried + self.dead_lettered == 0
    }
}
