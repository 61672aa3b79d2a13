//! The requests that came in, and whether one more is within the rate limit.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// Counts requests over a sliding window.
#[derive(Debug)]
pub(crate) struct Traffic {
    requests_max: usize,
    window: Duration,
    /// When the requests of the last window came, those included that were answered with 429.
    arrived: VecDeque<Instant>,
    accepted: VecDeque<Instant>,
    pub(crate) requests: usize,
    pub(crate) rate_limited: usize,
    pub(crate) in_window_max: usize,
}

impl Traffic {
    pub(crate) fn new(requests_max: usize, window: Duration) -> Self {
        let (arrived, accepted) = Default::default();
        let (requests, rate_limited, in_window_max) = (0, 0, 0);
        Self { requests_max, window, arrived, accepted, requests, rate_limited, in_window_max }
    }

    /// Counts a request that came now. Over the limit, it is the time until there is room.
    pub(crate) fn arrive(&mut self, now: Instant) -> Result<(), Duration> {
        for times in [&mut self.arrived, &mut self.accepted] {
            while times.front().is_some_and(|&at| at + self.window <= now) {
                times.pop_front();
            }
        }
        self.requests += 1;
        self.arrived.push_back(now);
        self.in_window_max = self.in_window_max.max(self.arrived.len());
        if self.accepted.len() < self.requests_max {
            self.accepted.push_back(now);
            return Ok(());
        }
        self.rate_limited += 1;
        Err(self.accepted.front().map_or(self.window, |&first| first + self.window - now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_slides() {
        let mut traffic = Traffic::new(2, Duration::from_secs(10));
        let start = Instant::now();
        let at = |second| start + Duration::from_secs(second);
        let wait = |seconds| Err(Duration::from_secs(seconds));
        for (second, expected) in
            [(0, Ok(())), (6, Ok(())), (9, wait(1)), (10, Ok(())), (11, wait(5)), (16, Ok(()))]
        {
            assert_eq!(traffic.arrive(at(second)), expected, "at second {second}");
        }
        assert_eq!((traffic.requests, traffic.rate_limited, traffic.in_window_max), (6, 2, 4));
    }
}
