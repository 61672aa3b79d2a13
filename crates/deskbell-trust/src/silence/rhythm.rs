//! The rhythm of one source, and the silence that it is in.

use serde::{Deserialize, Serialize};

use super::gaps::Gap;
use super::hours::{HOURS_PER_WEEK, PERIODS_PER_HOUR};
use super::rates::{HOUR_MS, Rates};
use super::weeks::Weeks;

const PERIOD_MS: i64 = HOUR_MS / PERIODS_PER_HOUR as i64;
/// No rhythm is known before so many hours were observed: two weeks.
const LEARNING_HOURS: u32 = 14 * 24;
/// No silence is surprising before.
const SILENCE_MIN_MS: i64 = HOUR_MS;
/// Without any sign for longer than this, Deskbell did not run or could not receive: the time does not
/// count as silence, and nothing is learned from it.
const ABSENCE_MIN_MS: i64 = 15 * 60_000;
/// Of a longer silence only the last so many hours are learned.
const LEARNED_HOURS_MAX: i64 = 8 * HOURS_PER_WEEK as i64;

/// What was learned of a source, and since when it is silent. Times are in milliseconds since the Unix
/// epoch and are passed in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rhythm {
    /// The time from which the current silence counts: that of the newest event, or the time when the
    /// source was first observed.
    since_ms: i64,
    has_events: bool,
    /// Up to where time has been accounted for.
    seen_ms: i64,
    /// From when to when Deskbell could not receive the last time, as far as it knows.
    absent_ms: (i64, i64),
    /// Whether it has been observed as it happened, not only read from the log.
    is_live: bool,
    /// The newest period with an event, and the first hour that is not learned yet; both since the
    /// epoch.
    period: i64,
    next_hour: i64,
    silence: Gap,
    /// What the silence was when it was first beyond the limit. What comes after that is not learned:
    /// the next failure must not take longer to be noticed.
    alarmed: Option<Gap>,
    weeks: Weeks,
    /// Learned from the weeks before the current hour.
    #[serde(skip)]
    rates: Option<Rates>,
}

impl Rhythm {
    /// Of a source that is observed from now on.
    #[must_use]
    pub fn new(now_ms: i64) -> Self {
        Self {
            since_ms: now_ms,
            has_events: false,
            seen_ms: now_ms,
            absent_ms: (now_ms, now_ms),
            is_live: false,
            period: i64::MIN,
            next_hour: now_ms.div_euclid(HOUR_MS),
            silence: Gap::default(),
            alarmed: None,
            weeks: Weeks::default(),
            rates: None,
        }
    }

    /// An event arrived at this time. A time before the newest event's counts as that one's: clocks go
    /// back.
    pub fn arrived(&mut self, at_ms: i64) {
        if !self.has_events {
            *self = Self { is_live: self.is_live, has_events: true, ..Self::new(at_ms) };
        }
        let at_ms = at_ms.max(self.since_ms);
        self.pass_until(at_ms, self.is_live);
        let hour = at_ms.div_euclid(HOUR_MS);
        self.learn_silence(hour);
        let period = at_ms.div_euclid(PERIOD_MS);
        if period > self.period {
            self.weeks.add_active(hour);
            self.period = period;
        }
        self.since_ms = at_ms;
        self.silence = Gap::default();
        self.alarmed = None;
    }

    /// Nothing else has arrived until now. To be called at least every few minutes.
    pub fn observe(&mut self, now_ms: i64) {
        self.pass_until(now_ms, true);
        self.is_live = true;
        if self.alarmed.is_none() && self.is_improbable() {
            self.alarmed = Some(self.silence);
        }
    }

    /// The time of the newest event.
    #[must_use]
    pub fn newest_ms(&self) -> Option<i64> {
        self.has_events.then_some(self.since_ms)
    }

    /// Since when nothing has arrived: since the newest event, or since the source was first observed.
    #[must_use]
    pub fn since_ms(&self) -> i64 {
        self.since_ms
    }

    /// For how long nothing has arrived while Deskbell could receive.
    #[must_use]
    pub fn silent_ms(&self) -> i64 {
        self.silence.lasted_ms
    }

    /// Whether Deskbell could receive in all of this time.
    #[must_use]
    pub fn was_present(&self, from_ms: i64, to_ms: i64) -> bool {
        let (absent_ms, back_ms) = self.absent_ms;
        to_ms <= absent_ms || from_ms >= back_ms
    }

    /// The longest silence of the last weeks.
    #[must_use]
    pub fn longest_ms(&self) -> i64 {
        self.weeks.gaps().longest_ms
    }

    /// Whether the silence has been far longer than the rhythm explains, since the newest event.
    #[must_use]
    pub fn is_alarming(&self) -> bool {
        self.alarmed.is_some()
    }

    fn is_improbable(&self) -> bool {
        let hours = self.weeks.observed_hours();
        if self.silence.lasted_ms < SILENCE_MIN_MS || hours < LEARNING_HOURS {
            return false;
        }
        let limit = self.weeks.gaps().limit(hours);
        self.silence.lasted_ms >= limit.lasted_ms && self.silence.surprise >= limit.surprise
    }

    /// Accounts for the time until then. A long time without a sign is left out where it must be.
    fn pass_until(&mut self, to_ms: i64, leaves_out: bool) {
        let from_ms = self.seen_ms;
        if to_ms <= from_ms {
            return;
        }
        self.seen_ms = to_ms;
        if leaves_out && to_ms - from_ms > ABSENCE_MIN_MS {
            self.learn_until(from_ms.div_euclid(HOUR_MS));
            self.next_hour = self.next_hour.max(to_ms.div_euclid(HOUR_MS));
            self.absent_ms = (from_ms, to_ms);
            return;
        }
        self.silence.lasted_ms += to_ms - from_ms;
        let weeks = &self.weeks;
        let rates = self.rates.get_or_insert_with(|| Rates::learned(weeks));
        self.silence.surprise += rates.between(from_ms, to_ms);
    }

    /// An event in this hour ends the silence. Only now it is learned: a long one would make itself
    /// probable otherwise.
    fn learn_silence(&mut self, hour: i64) {
        // In the first week, the rates of nights and weekends are not known.
        let is_measured = self.rates.as_ref().is_some_and(Rates::are_of_a_week);
        if hour >= self.next_hour {
            self.rates = None;
        }
        if let Some(alarmed) = self.alarmed {
            self.learn_until((self.since_ms + alarmed.lasted_ms).div_euclid(HOUR_MS));
            self.next_hour = self.next_hour.max(hour);
        }
        self.learn_until(hour + 1);
        let gap = self.alarmed.unwrap_or(self.silence);
        let gaps = self.weeks.gaps_mut(hour);
        gaps.add_length(gap);
        if is_measured {
            gaps.add_surprise(gap);
        }
    }

    /// The hours before this one were observed.
    fn learn_until(&mut self, hour: i64) {
        for hour in self.next_hour.max(hour - LEARNED_HOURS_MAX)..hour {
            self.weeks.observe(hour);
        }
        self.next_hour = self.next_hour.max(hour);
    }
}
