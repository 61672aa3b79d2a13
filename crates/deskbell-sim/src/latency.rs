//! Latencies, exactly: every one is kept, in microseconds.

use std::time::Duration;

/// The latencies of a run.
#[derive(Debug, Default)]
pub struct Latencies {
    micros: Vec<u32>,
}

impl Latencies {
    pub fn record(&mut self, latency: Duration) {
        self.micros.push(u32::try_from(latency.as_micros()).unwrap_or(u32::MAX));
    }

    pub fn merge(&mut self, other: &Self) {
        self.micros.extend_from_slice(&other.micros);
    }

    #[must_use]
    pub fn count(&self) -> usize {
        self.micros.len()
    }

    /// The latencies that so many percent were not slower than, in milliseconds, by nearest rank; 0 where none was recorded.
    #[must_use]
    pub fn percentiles_ms<const N: usize>(mut self, percents: [usize; N]) -> [f64; N] {
        self.micros.sort_unstable();
        percents.map(|percent| {
            let rank = (self.micros.len() * percent).div_ceil(100);
            let micros = self.micros.get(rank.saturating_sub(1)).copied().unwrap_or(0);
            f64::from(micros) / 1000.0
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_by_nearest_rank() {
        for (recorded_ms, expected) in [
            (vec![], [0.0, 0.0]),
            (vec![7], [7.0, 7.0]),
            (vec![4, 1, 3, 2], [2.0, 4.0]),
            ((1..=200).rev().collect(), [100.0, 198.0]),
        ] {
            let mut latencies = Latencies::default();
            for &ms in &recorded_ms {
                latencies.record(Duration::from_millis(ms));
            }
            assert_eq!(latencies.percentiles_ms([50, 99]), expected, "of {recorded_ms:?}");
        }
    }
}
