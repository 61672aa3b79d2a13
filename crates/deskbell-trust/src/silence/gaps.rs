//! The silences between events, and how long one must be to be beyond them.

use serde::{Deserialize, Serialize};

/// A silence longer than all that were seen must be longer by this factor.
const BEYOND_LONGEST: f64 = 1.5;
/// By chance alone, an alarm comes once in so many years.
const YEARS_PER_CHANCE_ALARM: f64 = 100.0;
/// The mean excess of the tail is taken to be at least this: traffic may have fallen by a third since
/// it was learned.
const MEAN_EXCESS_MIN: f64 = 1.5;
/// Silences of more surprise than this are the tail that is extrapolated.
const TAIL: f64 = 1.0;
/// Tail silences of ordinary length that are assumed before any was seen.
const PRIOR: f64 = 6.0;
const HOURS_PER_YEAR: f64 = 8_766.0;

/// One silence: how long it lasted, and how surprising that is. The surprise is the negative logarithm
/// of the probability that nothing arrives in that time, by the rates of its hours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Gap {
    pub(super) lasted_ms: i64,
    pub(super) surprise: f64,
}

/// What is kept of many silences.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Gaps {
    pub(super) longest_ms: i64,
    greatest_surprise: f64,
    tail_count: u32,
    /// By how much those of the tail exceed [`TAIL`], in sum.
    tail_excess: f64,
}

impl Gaps {
    pub(super) fn add_length(&mut self, gap: Gap) {
        self.longest_ms = self.longest_ms.max(gap.lasted_ms);
    }

    pub(super) fn add_surprise(&mut self, gap: Gap) {
        self.greatest_surprise = self.greatest_surprise.max(gap.surprise);
        if gap.surprise > TAIL {
            self.tail_count += 1;
            self.tail_excess += gap.surprise - TAIL;
        }
    }

    pub(super) fn joined(&self, other: &Self) -> Self {
        Self {
            longest_ms: self.longest_ms.max(other.longest_ms),
            greatest_surprise: self.greatest_surprise.max(other.greatest_surprise),
            tail_count: self.tail_count + other.tail_count,
            tail_excess: self.tail_excess + other.tail_excess,
        }
    }

    /// The silence that is beyond all of these, which were seen in so many hours.
    pub(super) fn limit(&self, observed_hours: u32) -> Gap {
        let improbable = self.improbable(f64::from(observed_hours.max(1)));
        Gap {
            lasted_ms: self.longest_ms.saturating_add(self.longest_ms / 2),
            surprise: improbable.max(BEYOND_LONGEST * self.greatest_surprise),
        }
    }

    /// The tail falls off exponentially where events are independent, and then its mean excess is 1. It
    /// is greater where they come in bursts, and the limit grows with it. Of few silences the mean is
    /// not known well: the limit is that of the predictive (Lomax) distribution.
    fn improbable(&self, observed_hours: f64) -> f64 {
        let count = f64::from(self.tail_count);
        let mean_excess = ((self.tail_excess + PRIOR) / (count + PRIOR)).max(MEAN_EXCESS_MIN);
        let per_year = count.max(1.0) * HOURS_PER_YEAR / observed_hours;
        let rarity = (per_year * YEARS_PER_CHANCE_ALARM).ln();
        let known = count + PRIOR;
        mean_excess * known * (rarity / known).exp_m1()
    }
}
