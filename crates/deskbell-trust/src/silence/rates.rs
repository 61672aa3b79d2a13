//! How surprising an hour of silence is, by the hours of the weeks before.

use std::ops::Range;

use super::hours::{HOURS_PER_WEEK, PERIODS_PER_HOUR};
use super::weeks::{Week, Weeks};

pub(super) const HOUR_MS: i64 = 3_600_000;
const HOURS_PER_DAY: usize = 24;
/// What a week counts for, of the week after it: traffic that grows or shrinks is followed.
const WEIGHT_OF_WEEK_BEFORE: f64 = 0.8;
/// A day is left out if it has more than this many times the active periods of the quietest quarter of
/// such days, and this many more: a campaign says nothing about the weeks after it.
const UNUSUAL_FACTOR: u32 = 2;
const UNUSUAL_PERIODS: u32 = 3;
/// An hour of the week that was seen a few times is judged by the whole week as well, with the weight
/// of so many periods.
const PRIOR_PERIODS: f64 = 1.0;
/// No period is more surprising, however regular the traffic was: what makes one silent, such as an
/// incident at Clerk, makes the next one silent too.
const SURPRISE_PER_PERIOD_MAX: f64 = 1.0;

/// The surprise of a silence, for each hour of the week: the negative logarithm of the probability
/// that nothing arrives in that hour.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rates {
    per_hour: Vec<f64>,
    /// From how many hours they were learned.
    observed_hours: u32,
}

#[derive(Debug, Clone, Copy, Default)]
struct Periods {
    silent: f64,
    all: f64,
}

impl Rates {
    pub(super) fn learned(weeks: &Weeks) -> Self {
        let mut hours = [Periods::default(); HOURS_PER_WEEK as usize];
        for day in 0..usize::from(HOURS_PER_WEEK) / HOURS_PER_DAY {
            let of_day = day * HOURS_PER_DAY..(day + 1) * HOURS_PER_DAY;
            let max = usual_max(weeks, of_day.clone());
            let mut weight = 1.0;
            for week in weeks.newest_first() {
                if active_periods(week, of_day.clone()).is_some_and(|active| active > max) {
                    continue;
                }
                for hour in of_day.clone() {
                    hours[hour].add(week.hours.active(hour), weight);
                }
                weight *= WEIGHT_OF_WEEK_BEFORE;
            }
        }
        let whole = hours.iter().fold(Periods::default(), |whole, hour| whole.plus(*hour));
        let silent = if whole.all > 0.0 { whole.silent / whole.all } else { 1.0 };
        let per_hour = hours.iter().map(|hour| hour.surprise(silent)).collect();
        Self { per_hour, observed_hours: weeks.observed_hours() }
    }

    /// Whether every hour of the week can be known.
    pub(super) fn are_of_a_week(&self) -> bool {
        self.observed_hours >= u32::from(HOURS_PER_WEEK)
    }

    /// The surprise of a silence from one time to another.
    pub(super) fn between(&self, from_ms: i64, to_ms: i64) -> f64 {
        let mut surprise = 0.0;
        let mut at_ms = from_ms;
        while at_ms < to_ms {
            let hour = at_ms.div_euclid(HOUR_MS);
            let until_ms = to_ms.min((hour + 1) * HOUR_MS);
            let of_week = hour.rem_euclid(i64::from(HOURS_PER_WEEK));
            let rate = usize::try_from(of_week).ok().and_then(|hour| self.per_hour.get(hour));
            surprise += rate.copied().unwrap_or(0.0) * share_of_hour(until_ms - at_ms);
            at_ms = until_ms;
        }
        surprise
    }
}

impl Periods {
    fn add(&mut self, active: Option<u8>, weight: f64) {
        if let Some(active) = active {
            self.silent += weight * f64::from(PERIODS_PER_HOUR.saturating_sub(active));
            self.all += weight * f64::from(PERIODS_PER_HOUR);
        }
    }

    fn plus(self, other: Self) -> Self {
        Self { silent: self.silent + other.silent, all: self.all + other.all }
    }

    /// Of an hour, where `silent` of the whole week's periods are silent.
    fn surprise(self, silent: f64) -> f64 {
        let probability = (self.silent + PRIOR_PERIODS * silent) / (self.all + PRIOR_PERIODS);
        f64::from(PERIODS_PER_HOUR) * (-probability.ln()).min(SURPRISE_PER_PERIOD_MAX)
    }
}

/// The most active periods that are usual on this day.
fn usual_max(weeks: &Weeks, day: Range<usize>) -> u32 {
    let mut active: Vec<u32> =
        weeks.iter().filter_map(|week| active_periods(week, day.clone())).collect();
    active.sort_unstable();
    let low = active.len().saturating_sub(1) / 4;
    let low = active.get(low).copied().unwrap_or(0);
    UNUSUAL_FACTOR * low + UNUSUAL_PERIODS
}

/// `None` if the day was not observed.
fn active_periods(week: &Week, day: Range<usize>) -> Option<u32> {
    let observed = day.filter_map(|hour| week.hours.active(hour));
    observed.map(u32::from).reduce(|sum, active| sum + active)
}

#[expect(clippy::cast_precision_loss, reason = "at most an hour")]
fn share_of_hour(ms: i64) -> f64 {
    ms as f64 / HOUR_MS as f64
}
