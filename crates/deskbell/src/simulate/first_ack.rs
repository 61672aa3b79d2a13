//! Waiting for the first acknowledgement: what keeps it away is said at once, and the run ends when
//! nothing will come.

use std::cell::Cell;
use std::time::Duration;

use deskbell_devtools::hint_of_failures;
use deskbell_sim::{Failure, Failures, Progress, Sender};
use tokio::time::Instant;

use super::Watch;
use crate::config::HttpUrl;

/// How often it is looked whether anything was acked, until something was.
const POLL_INTERVAL: Duration = Duration::from_millis(50);
/// After so many answers that are all the same and that no retry changes, nothing else will come.
const SAME_ANSWERS_MAX: u64 = 20;

/// What is waited for, and for how long.
pub(super) struct FirstAck<'a> {
    pub(super) sender: &'a Sender,
    pub(super) url: &'a HttpUrl,
    pub(super) seen: &'a Cell<Progress>,
    pub(super) timeout: Duration,
}

/// Returns when nothing was acked and it is clear that nothing will be; never, once something was.
pub(super) async fn is_hopeless(wait: FirstAck<'_>, watch: &impl Watch) {
    let started = Instant::now();
    let mut look = tokio::time::interval(POLL_INTERVAL);
    let mut told = false;
    loop {
        look.tick().await;
        let Progress { acked, given_up, .. } = wait.seen.get();
        if acked > 0 {
            return std::future::pending().await;
        }
        let failures = wait.sender.failures();
        if failures.is_empty() {
            continue;
        }
        if !told {
            let hint = hint_of_failures(&failures, wait.url.expose_secrets());
            watch.no_ack_yet(&failures, hint.as_ref());
            told = true;
        }
        if given_up > 0 || started.elapsed() >= wait.timeout || is_final(&failures) {
            return;
        }
    }
}

/// Whether every attempt was answered alike, in a way that does not pass by itself.
fn is_final(failures: &Failures) -> bool {
    match failures.by_frequency()[..] {
        [(Failure::Status(408 | 425 | 429), _)] => false,
        [(Failure::Status(300..=499), times)] => times >= SAME_ANSWERS_MAX,
        _ => false,
    }
}
