//! A body that comes in by several pieces: how fast, and whether it is cut for the others.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;

use crate::clock;

/// How far back it is looked when a body's rate is taken.
const WINDOW_MS: u64 = 2_000;
/// The window moves by this much.
const STEP_MS: u64 = 500;
const STEPS: usize = (WINDOW_MS / STEP_MS) as usize;

#[derive(Debug)]
pub(crate) struct Reading {
    began_ms: u64,
    /// Bytes that it holds in memory.
    held: AtomicUsize,
    meter: Mutex<Meter>,
    cut: Notify,
}

impl Reading {
    pub(crate) fn new(held: usize) -> Self {
        let began_ms = clock::uptime_ms();
        let mut meter = Meter { newest: began_ms / STEP_MS, steps: [0; STEPS] };
        meter.add(began_ms, held);
        Self {
            began_ms,
            held: AtomicUsize::new(held),
            meter: Mutex::new(meter),
            cut: Notify::new(),
        }
    }

    pub(crate) fn received(&self, bytes: usize) {
        self.held.fetch_add(bytes, Ordering::Relaxed);
        self.meter.lock().unwrap_or_else(PoisonError::into_inner).add(clock::uptime_ms(), bytes);
    }

    pub(crate) fn held(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }

    /// For how long it has been coming in.
    pub(crate) fn age_ms(&self, now_ms: u64) -> u64 {
        now_ms.saturating_sub(self.began_ms)
    }

    /// Its bytes a second over the last 2 s, or since it began.
    pub(crate) fn rate(&self, now_ms: u64) -> u64 {
        let bytes = self.meter.lock().unwrap_or_else(PoisonError::into_inner).recent(now_ms);
        bytes * 1_000 / self.age_ms(now_ms).clamp(1, WINDOW_MS)
    }

    /// Has its reader give it up.
    pub(crate) fn cut(&self) {
        self.cut.notify_one();
    }

    /// Returns when it is to be given up.
    pub(crate) async fn is_cut(&self) {
        self.cut.notified().await;
    }
}

/// Bytes by steps of time, for as many steps as make up the window.
#[derive(Debug)]
struct Meter {
    /// The number of the newest step, counted from the beginning of time.
    newest: u64,
    steps: [u64; STEPS],
}

impl Meter {
    fn add(&mut self, now_ms: u64, bytes: usize) {
        self.move_to(now_ms);
        *self.step(self.newest) += bytes as u64;
    }

    fn recent(&mut self, now_ms: u64) -> u64 {
        self.move_to(now_ms);
        self.steps.iter().sum()
    }

    fn move_to(&mut self, now_ms: u64) {
        let now = now_ms / STEP_MS;
        let passed = now.saturating_sub(self.newest).min(STEPS as u64);
        for back in 0..passed {
            *self.step(now - back) = 0;
        }
        self.newest = self.newest.max(now);
    }

    fn step(&mut self, number: u64) -> &mut u64 {
        let index = usize::try_from(number % STEPS as u64).unwrap_or_default();
        &mut self.steps[index]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_count_for_two_seconds() {
        let mut meter = Meter { newest: 20, steps: [0; STEPS] };
        meter.add(10_000, 100);
        meter.add(10_900, 7);
        assert_eq!(meter.recent(11_400), 107);
        assert_eq!(meter.recent(11_999), 107);
        assert_eq!(meter.recent(12_000), 7, "the first step is two seconds old");
        meter.add(12_400, 1);
        assert_eq!(meter.recent(12_499), 8);
        assert_eq!(meter.recent(12_500), 1);
        assert_eq!(meter.recent(600_000), 0);
    }

    #[test]
    fn a_body_that_stalls_is_slower_than_one_that_trickles() {
        let (stalled, trickling) = (Reading::new(1_000_000), Reading::new(10));
        let later = stalled.began_ms + 60_000;
        trickling.meter.lock().unwrap().add(later, 10);
        assert_eq!(stalled.rate(later), 0);
        assert_eq!(trickling.rate(later), 5);
        assert_eq!(stalled.held(), 1_000_000);
    }
}
