//! The hours of one week, each with the number of its periods in which an event arrived.
//!
//! Periods are counted, not events: one sign-up is several events within seconds, and a campaign
//! thousands within an hour, and neither says that the next period will have more.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Hours of a week.
pub(super) const HOURS_PER_WEEK: u8 = 168;
/// Ten minutes each.
pub(super) const PERIODS_PER_HOUR: u8 = 6;
/// Stands for an hour that was not observed.
const UNKNOWN: u8 = b'-';

/// As text it has a character for each hour: a digit, or `-` if the hour was not observed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hours([u8; HOURS_PER_WEEK as usize]);

impl Default for Hours {
    fn default() -> Self {
        Self([UNKNOWN; HOURS_PER_WEEK as usize])
    }
}

impl Hours {
    pub(super) fn observe(&mut self, hour: usize) {
        if self.0[hour] == UNKNOWN {
            self.0[hour] = b'0';
        }
    }

    pub(super) fn add_active(&mut self, hour: usize) {
        self.observe(hour);
        self.0[hour] = (self.0[hour] + 1).min(b'0' + PERIODS_PER_HOUR);
    }

    /// The number of active periods; `None` if the hour was not observed.
    pub(super) fn active(&self, hour: usize) -> Option<u8> {
        let active = self.0[hour];
        (active != UNKNOWN).then(|| active - b'0')
    }

    pub(super) fn observed(&self) -> u32 {
        self.0.iter().map(|hour| u32::from(*hour != UNKNOWN)).sum()
    }
}

impl Serialize for Hours {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&String::from_utf8_lossy(&self.0))
    }
}

impl<'de> Deserialize<'de> for Hours {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let is_hour =
            |hour: &u8| *hour == UNKNOWN || (b'0'..=b'0' + PERIODS_PER_HOUR).contains(hour);
        let hours = text
            .as_bytes()
            .try_into()
            .ok()
            .filter(|hours: &[u8; HOURS_PER_WEEK as usize]| hours.iter().all(is_hour));
        hours.map(Self).ok_or_else(|| de::Error::custom("expected the 168 hours of a week"))
    }
}
