//! The minutes of the last hour.

use deskbell_admin::{MinuteCount, Overview};

use crate::time::{self, MINUTE};

/// The minutes that have passed: the newest one goes on, and is not to be compared with them.
pub(super) fn whole_minutes(overview: &Overview) -> &[MinuteCount] {
    let passed = |minute: &MinuteCount| time::before(overview.now, MINUTE) >= minute.from;
    let whole = overview.minutes.iter().take_while(|minute| passed(minute)).count();
    &overview.minutes[..whole]
}
