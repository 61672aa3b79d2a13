//! Counts, and how much of each was alerted about.

use serde::{Deserialize, Serialize};

use crate::alerts::condition::{Counter, Rate};

/// What follows from a count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Nothing,
    /// `new` are to be alerted about, of the `total` that there ever were.
    New {
        new: u64,
        total: u64,
    },
    /// The condition has ended.
    Over,
}

/// The state of a [`Counter`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Counted {
    last: u64,
    total: u64,
    alerted: u64,
    alerted_at_ms: Option<i64>,
}

impl Counted {
    pub(super) fn observe(&mut self, counter: &Counter, digest_ms: i64, now_ms: i64) -> Step {
        let added = counter.count.saturating_sub(self.last);
        self.total += added;
        self.last = counter.count;
        if !counter.is_left {
            // Resolved before they were alerted about. Those that are new now may still arrive: they
            // are counted before they are dead letters.
            self.alerted = self.total - added;
            return Step::Over;
        }
        let new = self.total - self.alerted;
        if new == 0 || !is_due(self.alerted_at_ms, digest_ms, now_ms) {
            return Step::Nothing;
        }
        self.alerted = self.total;
        self.alerted_at_ms = Some(now_ms);
        Step::New { new, total: self.total }
    }
}

/// The state of a [`Rate`] in the current interval of the digest.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Window {
    start_ms: i64,
    start_count: u64,
    /// How many of the total were alerted about, or were too few.
    alerted: u64,
    alerted_at_ms: Option<i64>,
}

impl Window {
    pub(super) fn new(start_ms: i64) -> Self {
        Self { start_ms, ..Self::default() }
    }

    pub(super) fn start_ms(&self) -> i64 {
        self.start_ms
    }

    pub(super) fn observe(&mut self, rate: &Rate, digest_ms: i64, now_ms: i64) -> Step {
        let is_in_numbers = rate.count.saturating_sub(self.start_count) >= rate.count_min;
        let mut step = Step::Nothing;
        let new = rate.count.saturating_sub(self.alerted);
        if is_in_numbers && new > 0 && is_due(self.alerted_at_ms, digest_ms, now_ms) {
            self.alerted = rate.count;
            self.alerted_at_ms = Some(now_ms);
            step = Step::New { new, total: rate.count };
        }
        if now_ms.saturating_sub(self.start_ms) >= digest_ms {
            (self.start_ms, self.start_count) = (now_ms, rate.count);
            if !is_in_numbers {
                self.alerted = rate.count;
                step = Step::Over;
            }
        }
        step
    }
}

fn is_due(alerted_at_ms: Option<i64>, digest_ms: i64, now_ms: i64) -> bool {
    alerted_at_ms.is_none_or(|at_ms| now_ms.saturating_sub(at_ms) >= digest_ms)
}
