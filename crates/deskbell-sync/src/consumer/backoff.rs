//! How long to wait after a failure.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(100);
const MAX: Duration = Duration::from_secs(30);
/// The doublings after which the pause is at its longest.
const DOUBLINGS_MAX: u32 = 9;

/// The pause after this many failures before the present one: doubling from 0.1 s up to 30 s, of
/// which `jitter` (0 to 1) decides the last half, so that replicas do not come back as one.
pub(super) fn pause(failures_before: u32, jitter: f64) -> Duration {
    let longest = (FIRST * (1 << failures_before.min(DOUBLINGS_MAX))).min(MAX);
    longest.mul_f64(0.5 + jitter.clamp(0.0, 1.0) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_up_to_its_limit() {
        let pauses: Vec<_> = (0..12).map(|failures| pause(failures, 1.0).as_millis()).collect();
        assert_eq!(
            pauses,
            [100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 30000, 30000, 30000]
        );
        assert_eq!(pause(u32::MAX, 1.0), MAX);
    }

    #[test]
    fn jitter_decides_the_last_half() {
        assert_eq!(pause(3, 0.0), Duration::from_millis(400));
        assert_eq!(pause(3, 0.5), Duration::from_millis(600));
        assert_eq!(pause(3, f64::INFINITY), Duration::from_millis(800));
    }
}
