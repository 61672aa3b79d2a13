//! A line of the log that strangers can cause: at most one a minute, with a count.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::clock;

/// How far two lines of one kind are apart, whatever happens in between.
const INTERVAL: Duration = Duration::from_secs(60);
/// The time of the last line where there was none.
const NEVER: u64 = u64::MAX;

/// Counts what happens, and says when a line about it is due.
#[derive(Debug)]
pub(crate) struct OnceAMinute {
    last_ms: AtomicU64,
    /// What happened since the last line.
    unsaid: AtomicU64,
}

impl OnceAMinute {
    pub(crate) const fn new() -> Self {
        Self { last_ms: AtomicU64::new(NEVER), unsaid: AtomicU64::new(0) }
    }

    /// Counts one more. Where a line is due: how many there were since the last one, this one
    /// included.
    pub(crate) fn count(&self) -> Option<u64> {
        self.count_at(clock::uptime_ms())
    }

    fn count_at(&self, now_ms: u64) -> Option<u64> {
        self.unsaid.fetch_add(1, Ordering::Relaxed);
        let last = self.last_ms.load(Ordering::Relaxed);
        let is_due =
            last == NEVER || u128::from(now_ms.saturating_sub(last)) >= INTERVAL.as_millis();
        // Of several threads one writes the line.
        let is_ours = is_due
            && self
                .last_ms
                .compare_exchange(last, now_ms, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok();
        is_ours.then(|| self.unsaid.swap(0, Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_is_told_and_the_next_a_minute_later_with_all_between() {
        let line = OnceAMinute::new();
        assert_eq!(line.count_at(5), Some(1));
        for now_ms in [5, 6, 30_000, 60_004] {
            assert_eq!(line.count_at(now_ms), None, "{now_ms}");
        }
        assert_eq!(line.count_at(60_005), Some(5));
        assert_eq!(line.count_at(60_006), None);
        assert_eq!(line.count_at(500_000), Some(2));
    }
}
