//! Traffic of ten shapes, as a random process: visits that come independently at a rate that changes
//! over time, each of which is a few events within seconds.

use std::ops::Range;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

pub(crate) const MINUTE_MS: i64 = 60_000;
pub(crate) const HOUR_MS: i64 = 60 * MINUTE_MS;
pub(crate) const DAY_MS: i64 = 24 * HOUR_MS;
pub(crate) const WEEK_MS: i64 = 7 * DAY_MS;
/// A Monday.
pub(crate) const MONDAY_MS: i64 = 1_799_625_600_000;
/// No shape has more visits in an hour.
const VISITS_PER_HOUR_MAX: f64 = 120.0;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Steady,
    DayAndNight,
    BusinessHours,
    WeekendOnly,
    VerySparse,
    BurstyCampaigns,
    Growing,
    Shrinking,
    HolidayDip,
    DaylightSaving,
}

/// The traffic of one seed.
pub(crate) struct Traffic {
    shape: Shape,
    random: ChaCha8Rng,
    /// Some hour of some day.
    pub(crate) start_ms: i64,
    /// From when to when there is one.
    campaigns: Vec<(i64, i64)>,
}

impl Traffic {
    pub(crate) fn new(shape: Shape, seed: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let start_ms = MONDAY_MS + random.random_range(0..WEEK_MS);
        let mut campaigns = Vec::new();
        let mut at_ms = start_ms;
        for _ in 0..12 {
            at_ms += random.random_range(4 * DAY_MS..14 * DAY_MS);
            campaigns.push((at_ms, at_ms + random.random_range(DAY_MS / 8..DAY_MS)));
        }
        Self { shape, random, start_ms, campaigns }
    }

    /// The times of all events in this time, in order.
    pub(crate) fn events(mut self, from_ms: i64, to_ms: i64) -> Vec<i64> {
        let mut events = Vec::new();
        let mut at_ms = from_ms;
        loop {
            let hours = -(1.0 - self.random.random::<f64>()).ln() / VISITS_PER_HOUR_MAX;
            at_ms += whole(hours * HOUR_MS as f64);
            if at_ms >= to_ms {
                break;
            }
            if self.random.random::<f64>() < self.visits_per_hour(at_ms) / VISITS_PER_HOUR_MAX {
                let count = self.random.random_range(1..=4);
                events.extend((0..count).map(|event| at_ms + event * 2_000));
            }
        }
        events.sort_unstable();
        events
    }

    fn visits_per_hour(&self, at_ms: i64) -> f64 {
        let weeks = (at_ms - self.start_ms) as f64 / WEEK_MS as f64;
        match self.shape {
            Shape::Steady => 60.0,
            Shape::DayAndNight => 40.0 * daylight(at_ms) + 0.5,
            Shape::BusinessHours => 30.0 * within(at_ms, 0..5, 8..18),
            Shape::WeekendOnly => 10.0 * within(at_ms, 5..7, 9..22),
            Shape::VerySparse => 3.0 / 168.0,
            Shape::BurstyCampaigns => {
                let is_on = self.campaigns.iter().any(|(from, to)| (*from..*to).contains(&at_ms));
                if is_on { 120.0 } else { 4.0 / 24.0 }
            }
            Shape::Growing => 2.0 * 1.35_f64.powf(weeks) * (daylight(at_ms) + 0.05),
            Shape::Shrinking => 60.0 * 0.85_f64.powf(weeks) * (daylight(at_ms) + 0.05),
            Shape::HolidayDip => {
                let dip = if (6.0..7.5).contains(&weeks) { 0.33 } else { 1.0 };
                dip * (20.0 * within(at_ms, 0..5, 7..20) + 3.0 * daylight(at_ms))
            }
            Shape::DaylightSaving => {
                let local_ms = if (4.0..8.0).contains(&weeks) { at_ms + HOUR_MS } else { at_ms };
                30.0 * within(local_ms, 0..7, 7..23)
            }
        }
    }
}

/// 1 at noon, 0 at midnight.
fn daylight(at_ms: i64) -> f64 {
    let day = (at_ms.rem_euclid(DAY_MS)) as f64 / DAY_MS as f64;
    (std::f64::consts::PI * day).sin().powi(4)
}

/// 1 on these days, from Monday on, at these hours; 0 otherwise.
fn within(at_ms: i64, days: Range<i64>, hours: Range<i64>) -> f64 {
    let day = (at_ms - MONDAY_MS).div_euclid(DAY_MS).rem_euclid(7);
    let hour = at_ms.rem_euclid(DAY_MS) * 24 / DAY_MS;
    if days.contains(&day) && hours.contains(&hour) { 1.0 } else { 0.0 }
}

#[expect(clippy::cast_possible_truncation, reason = "a time within a year")]
fn whole(ms: f64) -> i64 {
    ms as i64
}
