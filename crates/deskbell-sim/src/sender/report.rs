//! What a run of the sender has come to.

use std::collections::HashMap;
use std::time::Duration;

use serde::Serialize;
use tokio::time::Instant;

use super::delivery::{Ack, Delivered};
use crate::latency::Latencies;

/// The state of a run under way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Messages that were begun.
    pub sent: u64,
    /// Deliveries of a message beyond its first, that were begun.
    pub duplicates: u64,
    /// Attempts after a failed one.
    pub retries: u64,
    /// Messages that were acked at least once.
    pub acked: u64,
}

/// What a run has come to.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Messages, each counted once.
    pub sent: u64,
    /// Deliveries of a message beyond its first: sent again on purpose, or to a second endpoint.
    pub duplicates: u64,
    /// Attempts after a failed one. All requests together are `sent + duplicates + retries`.
    pub retries: u64,
    /// Messages that were acked at least once.
    pub acked: u64,
    /// When each of these was acked first, by its id.
    #[serde(skip)]
    pub acked_at: HashMap<String, Instant>,
    /// The ids of the messages that never were.
    pub unacked: Vec<String>,
    /// Acks a second, duplicates' among them, from the first request to the last answer.
    pub acked_per_second: f64,
    /// The median time from a request to its 2xx, in milliseconds.
    pub ack_ms_p50: f64,
    /// The time that 99 of 100 acks did not take longer than, in milliseconds.
    pub ack_ms_p99: f64,
    /// How long the run took.
    #[serde(skip)]
    pub elapsed: Duration,
}

/// Counts deliveries as they begin and end.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    progress: Progress,
    acked: Vec<bool>,
    failed: Vec<(usize, String)>,
    acked_at: HashMap<String, Instant>,
    latencies: Latencies,
}

impl Tally {
    pub(crate) fn begun(&mut self, index: usize, first: bool) {
        if first {
            self.progress.sent += 1;
            self.acked.resize(self.acked.len().max(index + 1), false);
        } else {
            self.progress.duplicates += 1;
        }
    }

    pub(crate) fn ended(&mut self, delivered: Delivered) {
        self.progress.retries += delivered.attempts - 1;
        match delivered.ack {
            Some(Ack { at, latency }) => {
                self.latencies.record(latency);
                let first = self.acked_at.entry(delivered.id).or_insert(at);
                *first = at.min(*first);
                let acked = &mut self.acked[delivered.index];
                self.progress.acked += u64::from(!*acked);
                *acked = true;
            }
            None => self.failed.push((delivered.index, delivered.id)),
        }
    }

    pub(crate) fn progress(&self) -> &Progress {
        &self.progress
    }

    pub(crate) fn into_report(mut self, elapsed: Duration) -> Report {
        let Progress { sent, duplicates, retries, acked } = self.progress;
        self.failed.sort();
        self.failed.dedup();
        let unacked = self.failed.into_iter().filter(|(index, _)| !self.acked[*index]);
        let acks = self.latencies.count();
        let [ack_ms_p50, ack_ms_p99] = self.latencies.percentiles_ms([50, 99]);
        Report {
            sent,
            duplicates,
            retries,
            acked,
            acked_at: self.acked_at,
            unacked: unacked.map(|(_, id)| id).collect(),
            acked_per_second: per_second(acks, elapsed),
            ack_ms_p50,
            ack_ms_p99,
            elapsed,
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
pub(crate) fn per_second(count: usize, elapsed: Duration) -> f64 {
    if elapsed.is_zero() { 0.0 } else { count as f64 / elapsed.as_secs_f64() }
}
