//! A share of an instance's rate limit, which all clones keep to together.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use crate::secret_key::Environment;

/// The window over which Clerk counts requests.
pub const WINDOW: Duration = Duration::from_secs(10);
/// Requests of a production instance in a window.
pub const PRODUCTION_REQUESTS_MAX: u32 = 1_000;
/// Requests of a development instance in a window.
pub const DEVELOPMENT_REQUESTS_MAX: u32 = 100;
/// The share that is taken by default: the application's own requests come out of the same limit.
pub const DEFAULT_SHARE: f64 = 0.5;

/// So many requests in any window, however it lies, for all clones together.
///
/// A request counts from when it may begin until a whole window after it has ended, since it reaches the server at some
/// time between the two. The server therefore never sees more of them in a window than the share, whatever the latency.
#[derive(Debug, Clone)]
pub struct RateShare {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    requests_max: usize,
    window: Duration,
    state: Mutex<State>,
    /// Those who wait, in order: the first of them looks at the state.
    queue: tokio::sync::Mutex<()>,
    /// A request has ended.
    ended: Notify,
}

#[derive(Debug, Default)]
struct State {
    in_flight: usize,
    /// When each ended request stops counting, the earliest first.
    counted_until: VecDeque<Instant>,
    paused_until: Option<Instant>,
}

/// One request that may be made now. Dropped when the request has ended.
#[derive(Debug)]
pub(crate) struct Permit<'a> {
    shared: &'a Shared,
}

enum Next {
    Now,
    At(Instant),
    /// All that count are in flight.
    WhenOneEnds,
}

impl RateShare {
    /// A share of the limit that Clerk documents for the instance: more than 0, and 1 for all of it.
    /// It is at least one request.
    #[must_use]
    pub fn of(environment: Environment, share: f64) -> Self {
        let requests_max = match environment {
            Environment::Production => PRODUCTION_REQUESTS_MAX,
            Environment::Development => DEVELOPMENT_REQUESTS_MAX,
        };
        let share = f64::from(requests_max) * share.clamp(0.0, 1.0);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "from 0 to 1000"
        )]
        Self::new(share.floor() as u32, WINDOW)
    }

    /// So many requests, at least one, in any window of this length.
    #[must_use]
    pub fn new(requests_max: u32, window: Duration) -> Self {
        let requests_max = usize::try_from(requests_max).unwrap_or(usize::MAX).max(1);
        let (state, queue, ended) = Default::default();
        Self { shared: Arc::new(Shared { requests_max, window, state, queue, ended }) }
    }

    /// The requests that may be made in a window.
    #[must_use]
    pub fn requests_max(&self) -> usize {
        self.shared.requests_max
    }

    /// The length of the window.
    #[must_use]
    pub fn window(&self) -> Duration {
        self.shared.window
    }

    /// Waits until one more request may be made. Who came first goes first.
    pub(crate) async fn acquire(&self) -> Permit<'_> {
        let shared = &*self.shared;
        let _turn = shared.queue.lock().await;
        loop {
            let ended = shared.ended.notified();
            let next = shared.state().take(shared.requests_max, Instant::now());
            match next {
                Next::Now => return Permit { shared },
                Next::At(at) => sleep_until(at).await,
                Next::WhenOneEnds => ended.await,
            }
        }
    }

    /// Begins no request for this long, in no clone.
    pub(crate) fn pause(&self, time: Duration) {
        let until = Instant::now() + time;
        let mut state = self.shared.state();
        state.paused_until = state.paused_until.max(Some(until));
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn take(&mut self, requests_max: usize, now: Instant) -> Next {
        while self.counted_until.front().is_some_and(|&until| until <= now) {
            self.counted_until.pop_front();
        }
        if let Some(until) = self.paused_until.filter(|&until| until > now) {
            return Next::At(until);
        }
        self.paused_until = None;
        if self.in_flight + self.counted_until.len() < requests_max {
            self.in_flight += 1;
            return Next::Now;
        }
        self.counted_until.front().map_or(Next::WhenOneEnds, |&until| Next::At(until))
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let mut state = self.shared.state();
        state.in_flight -= 1;
        state.counted_until.push_back(Instant::now() + self.shared.window);
        drop(state);
        self.shared.ended.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use rand::Rng;
    use rand::SeedableRng;
    use rand::rngs::StdRng;
    use tokio::task::JoinSet;
    use tokio::time::sleep;

    use super::*;

    /// The most of these times that lie in any one window.
    fn in_window_max(times: &[Instant], window: Duration) -> usize {
        let mut times = times.to_vec();
        times.sort_unstable();
        let mut first = 0;
        let mut most = 0;
        for (last, &time) in times.iter().enumerate() {
            while times[first] + window <= time {
                first += 1;
            }
            most = most.max(last + 1 - first);
        }
        most
    }

    /// Makes so many requests from several clones; each reaches the server at a random time before it ends.
    async fn arrivals(share: &RateShare, requests: usize, seed: u64) -> Vec<Instant> {
        let mut tasks = JoinSet::new();
        for task in 0..8 {
            let share = share.clone();
            let mut rng = StdRng::seed_from_u64(seed * 8 + task);
            tasks.spawn(async move {
                let mut arrived = Vec::new();
                for _ in 0..requests / 8 {
                    let permit = share.acquire().await;
                    let [there, back] = [0, 0].map(|_: u64| rng.random_range(0..3_000));
                    sleep(Duration::from_millis(there)).await;
                    arrived.push(Instant::now());
                    sleep(Duration::from_millis(back)).await;
                    drop(permit);
                }
                arrived
            });
        }
        tasks.join_all().await.concat()
    }

    #[tokio::test(start_paused = true)]
    async fn no_window_has_more_than_the_share_whatever_the_latency() {
        for seed in 0..20 {
            let share = RateShare::new(7, WINDOW);
            let arrived = arrivals(&share, 80, seed).await;
            assert_eq!(arrived.len(), 80);
            assert_eq!(in_window_max(&arrived, WINDOW), 7, "seed {seed}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_share_is_used_up() {
        let share = RateShare::new(50, WINDOW);
        let start = Instant::now();
        for _ in 0..500 {
            drop(share.acquire().await);
        }
        assert_eq!(start.elapsed().as_secs(), 90, "ten windows, the first of them at once");
    }

    #[tokio::test(start_paused = true)]
    async fn all_clones_wait_while_it_is_paused() {
        let share = RateShare::new(50, WINDOW);
        let start = Instant::now();
        share.pause(Duration::from_secs(3));
        share.pause(Duration::from_secs(2));
        let waiting = share.clone();
        drop(waiting.acquire().await);
        assert_eq!(start.elapsed().as_secs(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_reaches_those_who_wait_already() {
        let share = RateShare::new(1, WINDOW);
        let start = Instant::now();
        drop(share.acquire().await);
        let waiting = share.clone();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            drop(waiting.acquire().await);
            Instant::now()
        });
        sleep(Duration::from_secs(1)).await;
        share.pause(Duration::from_secs(30));
        assert_eq!((tasks.join_all().await[0] - start).as_secs(), 31);
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_is_given_up_does_not_block_the_others() {
        let share = RateShare::new(1, WINDOW);
        let first = share.acquire().await;
        let given_up = tokio::time::timeout(Duration::from_secs(1), share.acquire()).await;
        assert!(given_up.is_err());
        drop(first);
        drop(share.acquire().await);
    }

    #[test]
    fn the_share_is_of_the_instances_limit() {
        for (environment, share, expected) in [
            (Environment::Production, DEFAULT_SHARE, 500),
            (Environment::Development, DEFAULT_SHARE, 50),
            (Environment::Development, 0.0, 1),
            (Environment::Development, 2.0, 100),
            (Environment::Development, f64::NAN, 1),
        ] {
            let found = RateShare::of(environment, share);
            assert_eq!((found.requests_max(), found.window()), (expected, WINDOW), "{share}");
        }
    }
}
