//! One message to one endpoint: attempts, each freshly signed, until it is acked or given up.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use clerk_webhooks::{HeaderFamily, Signer};
use reqwest::header::{CONNECTION, CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use reqwest::{Client, RequestBuilder, StatusCode, Url};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep};

use super::failure::{Failure, SharedFailures};
use crate::clock;

/// One request of so many is the last one on its connection, so that a balancer in front of the endpoint can spread the load anew.
const REQUESTS_A_CONNECTION: usize = 100;

/// The longest wait that an endpoint may ask for; a longer one is cut to it.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(60);

/// The reply header by which an endpoint declines a message for good, and its value.
const ABORT: (&str, &str) = ("webhook-delivery", "abort-message");

/// What every delivery of a run shares.
#[derive(Debug)]
pub(crate) struct Courier {
    pub(crate) client: Client,
    pub(crate) url: Url,
    pub(crate) signers: Vec<Signer>,
    pub(crate) header_family: HeaderFamily,
    pub(crate) retry_schedule: Vec<Duration>,
    pub(crate) honours_retry_after: bool,
    /// One permit a request under way.
    pub(crate) slots: Arc<Semaphore>,
    pub(crate) failures: SharedFailures,
    pub(crate) connections: Connections,
}

/// Says which requests are the last ones on their connection.
#[derive(Debug)]
pub(crate) struct Connections {
    /// How many may be open.
    open_max: usize,
    requests: AtomicUsize,
    /// After a failure: how many requests still are the last ones.
    to_close: AtomicUsize,
}

/// What is delivered: a message, by its index in the order of events, to one of the endpoints.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub(crate) index: usize,
    pub(crate) id: String,
    pub(crate) body: Bytes,
    pub(crate) endpoint: usize,
}

#[derive(Debug)]
pub(crate) struct Delivered {
    pub(crate) index: usize,
    pub(crate) id: String,
    pub(crate) attempts: u64,
    /// The ack, or why the last attempt was none.
    pub(crate) end: Result<Ack, Failure>,
}

/// An attempt that was acked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ack {
    pub(crate) at: Instant,
    pub(crate) latency: Duration,
}

/// An attempt that was not acked.
struct Missed {
    verdict: Verdict,
    failure: Failure,
    /// How long the endpoint asks to be left alone.
    retry_after: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Acked,
    TryAgain,
    GiveUp,
}

impl Connections {
    pub(crate) fn new(open_max: usize) -> Self {
        Self { open_max, requests: AtomicUsize::new(0), to_close: AtomicUsize::new(0) }
    }

    /// Every open connection may lead to the replica that has just failed: each ends with its next request.
    fn renew(&self) {
        self.to_close.store(self.open_max, Ordering::Relaxed);
    }

    /// Whether a request that is made now is the last one on its connection.
    fn closes(&self) -> bool {
        let ordering = Ordering::Relaxed;
        let renewed = self.to_close.fetch_update(ordering, ordering, |left| left.checked_sub(1));
        let made = self.requests.fetch_add(1, ordering) + 1;
        renewed.is_ok() || made.is_multiple_of(REQUESTS_A_CONNECTION)
    }
}

impl Courier {
    /// Makes the attempts. The slot is given back while a retry waits, so that an endpoint's bad hour holds up nothing else.
    pub(crate) async fn deliver(
        self: Arc<Self>,
        delivery: Delivery,
        slot: OwnedSemaphorePermit,
    ) -> Delivered {
        let mut slot = Some(slot);
        let mut attempts = 0;
        let mut waits = self.retry_schedule.iter();
        let end = loop {
            let started = Instant::now();
            let missed = self.attempt(&delivery).await;
            attempts += 1;
            let Some(Missed { verdict, failure, retry_after }) = missed else {
                let at = Instant::now();
                break Ok(Ack { at, latency: at - started });
            };
            drop(slot.take());
            let wait = waits.next().filter(|_| verdict == Verdict::TryAgain);
            let Some(&wait) = wait else { break Err(failure) };
            sleep(wait.max(retry_after)).await;
            slot = Arc::clone(&self.slots).acquire_owned().await.ok();
        };
        Delivered { index: delivery.index, id: delivery.id, attempts, end }
    }

    /// Makes an attempt, and notes why it was not acked.
    async fn attempt(&self, delivery: &Delivery) -> Option<Missed> {
        let response = match self.request(delivery).send().await {
            Ok(response) => response,
            Err(error) => {
                let failure = Failure::of_request(&error);
                self.failures.note(&failure, &HeaderMap::new(), None);
                self.connections.renew();
                let (verdict, retry_after) = (Verdict::TryAgain, Duration::ZERO);
                return Some(Missed { verdict, failure, retry_after });
            }
        };
        let (status, headers) = (response.status(), response.headers().clone());
        let verdict = verdict(status, &headers);
        // The body has to be read for the connection to be used again.
        let body = response.bytes().await.ok();
        if verdict == Verdict::Acked {
            return None;
        }
        let failure = Failure::Status(status.as_u16());
        self.failures.note(&failure, &headers, body.as_ref());
        self.connections.renew();
        let wanted = self.honours_retry_after.then(|| retry_after(&headers)).flatten();
        Some(Missed { verdict, failure, retry_after: wanted.unwrap_or_default() })
    }

    fn request(&self, delivery: &Delivery) -> RequestBuilder {
        let signer = &self.signers[delivery.endpoint];
        let signed = signer.sign(&delivery.id, clock::unix_seconds(), &delivery.body);
        let mut request = self.client.post(self.url.clone()).body(delivery.body.clone());
        for (name, value) in signed.iter(self.header_family) {
            request = request.header(name, value);
        }
        if self.connections.closes() {
            request = request.header(CONNECTION, "close");
        }
        request.header(CONTENT_TYPE, "application/json")
    }
}

/// The wait that an endpoint asks for, in seconds. A date is no wait that a sped-up simulation could keep.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).min(RETRY_AFTER_MAX))
}

fn verdict(status: StatusCode, headers: &HeaderMap) -> Verdict {
    let (name, value) = ABORT;
    if status.is_success() {
        Verdict::Acked
    } else if headers.get(name).is_some_and(|found| found == value) {
        Verdict::GiveUp
    } else {
        Verdict::TryAgain
    }
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    #[test]
    fn connections_end_now_and_then_and_all_of_them_after_a_failure() {
        let connections = Connections::new(3);
        let closed = |requests: usize| (0..requests).filter(|_| connections.closes()).count();
        assert_eq!(closed(REQUESTS_A_CONNECTION - 1), 0);
        assert_eq!(closed(1), 1);
        connections.renew();
        connections.renew();
        assert_eq!(closed(10), 3, "three are open");
    }

    #[test]
    fn an_endpoint_may_ask_for_a_wait_in_seconds_and_not_for_ever() {
        for (value, expected) in [
            ("2", Some(2)),
            (" 30 ", Some(30)),
            ("86400", Some(60)),
            ("-1", None),
            ("Wed, 21 Oct 2026 07:28:00 GMT", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, HeaderValue::from_static(value));
            assert_eq!(retry_after(&headers), expected.map(Duration::from_secs), "{value}");
        }
    }

    #[test]
    fn only_2xx_is_an_ack_and_only_the_header_ends_the_retries() {
        for (status, abort, expected) in [
            (200, false, Verdict::Acked),
            (204, true, Verdict::Acked),
            (301, false, Verdict::TryAgain),
            (400, false, Verdict::TryAgain),
            (400, true, Verdict::GiveUp),
            (410, false, Verdict::TryAgain),
            (503, false, Verdict::TryAgain),
        ] {
            let mut headers = HeaderMap::new();
            if abort {
                headers.insert(ABORT.0, HeaderValue::from_static(ABORT.1));
            }
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(verdict(status, &headers), expected, "{status}, abort {abort}");
        }
    }
}
