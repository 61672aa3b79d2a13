//! The last weeks of a source: in how many periods of each hour something arrived, and how long the
//! silences were.

use serde::{Deserialize, Serialize};

use super::gaps::Gaps;
use super::hours::{HOURS_PER_WEEK, Hours};

/// The rhythm is that of so many weeks: traffic that changes is followed.
const WEEKS_MAX: usize = 8;

/// The newest weeks that were observed, the oldest first.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Weeks(Vec<Week>);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Week {
    /// Weeks since the Unix epoch.
    number: i64,
    pub(super) hours: Hours,
    /// The silences that ended in this week.
    pub(super) gaps: Gaps,
}

impl Weeks {
    pub(super) fn iter(&self) -> impl Iterator<Item = &Week> {
        self.0.iter()
    }

    pub(super) fn newest_first(&self) -> impl Iterator<Item = &Week> {
        self.0.iter().rev()
    }

    /// Hours since the epoch: nothing arrived in it, unless something is added.
    pub(super) fn observe(&mut self, hour: i64) {
        let (number, of_week) = split(hour);
        self.week(number).hours.observe(of_week);
    }

    /// One more period of this hour has an event.
    pub(super) fn add_active(&mut self, hour: i64) {
        let (number, of_week) = split(hour);
        self.week(number).hours.add_active(of_week);
    }

    /// Of the week with this hour.
    pub(super) fn gaps_mut(&mut self, hour: i64) -> &mut Gaps {
        &mut self.week(split(hour).0).gaps
    }

    pub(super) fn observed_hours(&self) -> u32 {
        self.iter().map(|week| week.hours.observed()).sum()
    }

    /// The silences of all weeks.
    pub(super) fn gaps(&self) -> Gaps {
        self.iter().fold(Gaps::default(), |all, week| all.joined(&week.gaps))
    }

    /// Time does not go back here: an earlier week is the newest one.
    fn week(&mut self, number: i64) -> &mut Week {
        if self.0.last().is_none_or(|newest| newest.number < number) {
            self.0.push(Week { number, hours: Hours::default(), gaps: Gaps::default() });
            if self.0.len() > WEEKS_MAX {
                self.0.remove(0);
            }
        }
        let newest = self.0.len() - 1;
        &mut self.0[newest]
    }
}

/// The week of an hour, and which of its hours it is.
fn split(hour: i64) -> (i64, usize) {
    let week = i64::from(HOURS_PER_WEEK);
    (hour.div_euclid(week), usize::try_from(hour.rem_euclid(week)).unwrap_or(0))
}
