//! How long other replicas keep appends waiting, learned from how long they did.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Shorter waits are those for the database itself, or not worth a timer.
const WAIT_MIN: Duration = Duration::from_micros(300);
/// An event is never held back for longer. On a machine that is slow for a moment, what is expected grows faster than it
/// shrinks.
const WAIT_MAX: Duration = Duration::from_millis(3);

/// Appends are written one at a time over all replicas. A batch that is sent while another replica's is
/// written only waits, and does not grow any more: two replicas would make twice as many commits, each
/// half as large. So it is sent when its turn is likely to have come.
#[derive(Debug, Default)]
pub(super) struct Contention {
    expected_us: AtomicU64,
}

impl Contention {
    /// For how long an append is likely to wait, if it is sent now.
    pub(super) fn expected(&self) -> Duration {
        Duration::from_micros(self.expected_us.load(Ordering::Relaxed))
    }

    /// An append has waited for so long in the database, after it was held back for as long as was
    /// expected. Where it has not waited the others may be gone: less is expected next time.
    pub(super) fn note(&self, waited: Duration) {
        let expected = self.expected();
        let next = if waited > WAIT_MIN {
            (expected + waited / 2).min(WAIT_MAX)
        } else {
            Some(expected * 7 / 8).filter(|less| *less > WAIT_MIN).unwrap_or_default()
        };
        let next = u64::try_from(next.as_micros()).unwrap_or(u64::MAX);
        self.expected_us.store(next, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noted(waits_us: &[u64]) -> Duration {
        let contention = Contention::default();
        waits_us.iter().for_each(|us| contention.note(Duration::from_micros(*us)));
        contention.expected()
    }

    #[test]
    fn a_replica_alone_holds_nothing_back() {
        assert_eq!(noted(&[0, 20, 200, 0]), Duration::ZERO);
    }

    #[test]
    fn waits_are_learned_within_a_limit_and_forgotten() {
        assert_eq!(noted(&[2_000]), Duration::from_millis(1));
        assert_eq!(noted(&[2_000, 1_000]), Duration::from_micros(1_500));
        assert_eq!(noted(&[3_000_000; 3]), WAIT_MAX);
        assert_eq!(noted(&[&[3_000_000][..], &[0; 30]].concat()), Duration::ZERO);
    }
}
