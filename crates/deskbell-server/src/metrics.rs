//! The names of what this crate counts, with their units, and the handles on the hot path.

use metrics::{Counter, Histogram, Unit, counter, describe_counter, describe_histogram, histogram};

/// Requests to the webhook route by `source` and `outcome`: `new`, `duplicate`, or a refusal.
const INGEST_REQUESTS: &str = "deskbell_ingest_requests_total";
/// Requests that failed verification, by `source` and `reason`.
const INGEST_VERIFICATION_FAILURES: &str = "deskbell_ingest_verification_failures_total";
/// POSTs to paths of no source.
const UNKNOWN_PATH_REQUESTS: &str = "deskbell_ingest_unknown_path_requests_total";
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

/// Describes what is counted whatever the source, and has it begin at 0.
pub(crate) fn describe_server() {
    describe_counter!(
        UNKNOWN_PATH_REQUESTS,
        Unit::Count,
        "POSTs to paths of no source, such as one with a slash too many"
    );
    counter!(UNKNOWN_PATH_REQUESTS).increment(0);
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
        "From the request to the reply, for events that were acknowledged"
    );
}
