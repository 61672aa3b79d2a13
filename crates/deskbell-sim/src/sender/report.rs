//! What a run of the sender has come to.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use serde::Serialize;
use tokio::time::Instant;

use super::delivery::{Ack, Delivered};
use super::failure::Failure;
use crate::fate::Fate;
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
    /// Deliveries that were given up: their last retry failed as well.
    pub given_up: u64,
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
    /// The ids of the messages that never were, and are given up.
    pub unacked: Vec<String>,
    /// Why the last attempt at each of these failed, in the same order.
    #[serde(skip)]
    pub last_failures: Vec<Failure>,
    /// The ids of the messages that were begun and never acked: the unacked ones and, where the run was stopped, those under way.
    #[serde(skip)]
    pub open: HashSet<String>,
    /// Deliveries, duplicates' among them, that were given up.
    pub given_up: u64,
    /// Whether the run was stopped before everything was acked or given up.
    pub stopped: bool,
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
    open: HashSet<String>,
    failed: Vec<(usize, String, Failure)>,
    acked_at: HashMap<String, Instant>,
    latencies: Latencies,
}

impl Tally {
    pub(crate) fn begun(&mut self, index: usize, id: &str, first: bool) {
        if first {
            self.progress.sent += 1;
            self.open.insert(id.to_owned());
            self.acked.resize(self.acked.len().max(index + 1), false);
        } else {
            self.progress.duplicates += 1;
        }
    }

    pub(crate) fn ended(&mut self, delivered: Delivered) {
        self.progress.retries += delivered.attempts - 1;
        match delivered.end {
            Ok(Ack { at, latency }) => {
                self.latencies.record(latency);
                self.open.remove(&delivered.id);
                let first = self.acked_at.entry(delivered.id).or_insert(at);
                *first = at.min(*first);
                let acked = &mut self.acked[delivered.index];
                self.progress.acked += u64::from(!*acked);
                *acked = true;
            }
            Err(failure) => {
                self.progress.given_up += 1;
                self.failed.push((delivered.index, delivered.id, failure));
            }
        }
    }

    pub(crate) fn progress(&self) -> &Progress {
        &self.progress
    }

    pub(crate) fn into_report(mut self, elapsed: Duration, stopped: bool) -> Report {
        let Progress { sent, duplicates, retries, acked, given_up } = self.progress;
        self.failed.retain(|(index, ..)| !self.acked[*index]);
        self.failed.sort();
        self.failed.dedup_by_key(|(index, ..)| *index);
        let (unacked, last_failures) =
            self.failed.into_iter().map(|(_, id, failure)| (id, failure)).unzip();
        let acks = self.latencies.count();
        let [ack_ms_p50, ack_ms_p99] = self.latencies.percentiles_ms([50, 99]);
        Report {
            sent,
            duplicates,
            retries,
            acked,
            acked_at: self.acked_at,
            unacked,
            last_failures,
            open: self.open,
            given_up,
            stopped,
            acked_per_second: per_second(acks, elapsed),
            ack_ms_p50,
            ack_ms_p99,
            elapsed,
        }
    }
}

impl Report {
    /// What became of this message.
    #[must_use]
    pub fn fate(&self, message_id: &str) -> Fate {
        if self.acked_at.contains_key(message_id) {
            Fate::Acked
        } else if self.open.contains(message_id) {
            Fate::Unknown
        } else {
            Fate::Unsent
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
pub(crate) fn per_second(count: usize, elapsed: Duration) -> f64 {
    if elapsed.is_zero() { 0.0 } else { count as f64 / elapsed.as_secs_f64() }
}
