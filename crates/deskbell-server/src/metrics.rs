//! The names of what this crate counts, with their units, and the handles on the hot path.

use metrics::{
    Counter, Gauge, Histogram, Unit, counter, describe_counter, describe_gauge, describe_histogram,
    gauge, histogram,
};

/// Requests to the webhook route by `source` and `outcome`: `new`, `duplicate`, or a refusal.
const INGEST_REQUESTS: &str = "deskbell_ingest_requests_total";
/// Requests that failed verification, by `source` and `reason`.
const INGEST_VERIFICATION_FAILURES: &str = "deskbell_ingest_verification_failures_total";
/// POSTs to paths of no source.
const UNKNOWN_PATH_REQUESTS: &str = "deskbell_ingest_unknown_path_requests_total";
const CONNECTIONS: &str = "deskbell_server_connections";
/// Connections that were ended by us, by `reason`.
const CONNECTIONS_ENDED: &str = "deskbell_server_connections_ended_total";
/// Slow bodies that were cut while there was no room for others.
const BODIES_CUT: &str = "deskbell_ingest_bodies_cut_total";
/// From the request's head to the reply, for events that were acknowledged.
const INGEST_DURATION: &str = "deskbell_ingest_duration_seconds";

/// What is counted for one source on every request, looked up once.
#[derive(Clone)]
pub(crate) struct IngestMetrics {
    source: String,
    pub(crate) new: Counter,
    pub(crate) duplicate: Counter,
    pub(crate) duration_seconds: Histogram,
}

impl IngestMetrics {
    pub(crate) fn new(source: &str) -> Self {
        describe();
        let outcome = |outcome: &'static str| counter!(INGEST_REQUESTS, "source" => source.to_owned(), "outcome" => outcome);
        Self {
            source: source.to_owned(),
            new: outcome("new"),
            duplicate: outcome("duplicate"),
            duration_seconds: histogram!(INGEST_DURATION, "source" => source.to_owned()),
        }
    }

    pub(crate) fn refused(&self, outcome: &'static str) {
        counter!(INGEST_REQUESTS, "source" => self.source.clone(), "outcome" => outcome)
            .increment(1);
    }

    pub(crate) fn verification_failed(&self, reason: &'static str) {
        counter!(INGEST_VERIFICATION_FAILURES, "source" => self.source.clone(), "reason" => reason)
            .increment(1);
    }
}

/// A POST came to a path of no source.
pub(crate) fn unknown_path() {
    counter!(UNKNOWN_PATH_REQUESTS).increment(1);
}

/// Why we end a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// No request came by it for too long.
    Idle,
    /// Its client did not read what it was sent.
    Unread,
    /// All slots were taken, and it was evicted.
    ForOthers,
}

impl Ended {
    const ALL: [Self; 3] = [Self::Idle, Self::Unread, Self::ForOthers];

    fn reason(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Unread => "unread",
            Self::ForOthers => "for_others",
        }
    }

    fn counter(self) -> Counter {
        counter!(CONNECTIONS_ENDED, "reason" => self.reason())
    }
}

pub(crate) fn connection_ended(why: Ended) {
    why.counter().increment(1);
}

pub(crate) fn open_connections() -> Gauge {
    gauge!(CONNECTIONS)
}

/// A slow body made room for others.
pub(crate) fn body_cut() {
    counter!(BODIES_CUT).increment(1);
}

/// Describes what is counted whatever the source, and has it begin at 0.
pub(crate) fn describe_server() {
    describe_counter!(
        UNKNOWN_PATH_REQUESTS,
        Unit::Count,
        "POSTs to unknown paths, such as one with a trailing slash"
    );
    describe_gauge!(CONNECTIONS, Unit::Count, "Open connections");
    describe_counter!(
        CONNECTIONS_ENDED,
        Unit::Count,
        "Closed connections, by reason: idle, unread or for_others"
    );
    describe_counter!(
        BODIES_CUT,
        Unit::Count,
        "Slow bodies that were cut off to make room for others"
    );
    counter!(UNKNOWN_PATH_REQUESTS).increment(0);
    counter!(BODIES_CUT).increment(0);
    for why in Ended::ALL {
        why.counter().increment(0);
    }
}

fn describe() {
    describe_counter!(
        INGEST_REQUESTS,
        Unit::Count,
        "Requests to the webhook route, by source and outcome"
    );
    describe_counter!(
        INGEST_VERIFICATION_FAILURES,
        Unit::Count,
        "Requests whose verification failed, by source and reason"
    );
    describe_histogram!(
        INGEST_DURATION,
        Unit::Seconds,
        "Time from the request to the reply, for acknowledged events"
    );
}
