//! Alerts about requests that fail verification in numbers, and how the counts reach the store.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use deskbell_server::RefusedRequests;
use deskbell_store::{Refusals, Refused};
use tokio_util::sync::CancellationToken;

use super::condition::{AlertTarget, Condition, ConditionKind, Observation, Rate, plural};

/// This many refused requests of one source and cause in an interval of the digest are alerted about.
/// A stranger who tries an address makes a few. A wrong secret makes this many with three events, since
/// the sender retries each: at once, after 5 s, 5 min and 30 min.
const REFUSED_MIN: u64 = 10;
/// How often this process adds its counts to the store: a flood costs one row each time.
const ADD_INTERVAL: Duration = Duration::from_secs(5);

pub(super) fn observe(refused: &Refused) -> (String, Observation) {
    let (source, cause) = (refused.source.clone(), refused.cause.clone());
    let key = format!("refused/{source}/{cause}");
    let condition = move |new, is_first, since_ms| {
        let (one, many) = match is_first {
            true => ("request was", "requests were"),
            false => ("more request was", "more requests were"),
        };
        Condition {
            kind: ConditionKind::SourceRefused,
            target: AlertTarget::Source { name: source.clone(), cause: Some(cause.clone()) },
            since_ms,
            step: 0,
            subject: format!("{source}: {} rejected ({cause})", plural(new, one, many)),
            text: format!(
                "{} to the source {source} failed verification: {cause}. {} Clerk retries \
                 rejected events for about a day.",
                plural(new, "request", "requests"),
                advice(&cause)
            ),
            counts: BTreeMap::from([("refused_requests".to_owned(), new)]),
        }
    };
    let rate =
        Rate { count: refused.requests, count_min: REFUSED_MIN, condition: Box::new(condition) };
    (key, Observation::Rate(rate))
}

/// What to do about requests that are refused for this cause.
pub(crate) fn advice(cause: &str) -> &'static str {
    match cause {
        "no_match" => {
            "The signing secret in the config may not be that of the endpoint in Clerk's \
             dashboard, a proxy may change the body, or the requests are not from Clerk."
        }
        "too_old" | "too_new" => {
            "The signatures are valid but the timestamps are not: synchronize this machine's \
             clock with NTP."
        }
        _ => {
            "A proxy may drop or change the headers svix-id, svix-timestamp and svix-signature, \
             or the requests are not from Clerk."
        }
    }
}

/// Adds the counts of this process to those in the store, until `shutdown`.
pub(crate) async fn add_up_refused(
    requests: Arc<RefusedRequests>,
    store: Arc<dyn Refusals>,
    shutdown: CancellationToken,
) {
    let mut goes_on = true;
    while goes_on {
        goes_on = shutdown.run_until_cancelled(tokio::time::sleep(ADD_INTERVAL)).await.is_some();
        let taken = requests.take();
        let counts: Vec<_> = taken
            .iter()
            .map(|((source, cause), requests)| Refused {
                source: source.to_string(),
                cause: (*cause).to_owned(),
                requests: *requests,
            })
            .collect();
        if counts.is_empty() {
            continue;
        }
        if let Err(error) = store.add_refused(&counts).await {
            let error = &error as &dyn std::error::Error;
            tracing::debug!(error, "rejected requests not counted; retrying");
            requests.put_back(taken);
        }
    }
}
