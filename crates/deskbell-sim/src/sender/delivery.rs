//! One message to one endpoint: attempts, each freshly signed, until it is acked or given up.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use clerk_webhooks::{HeaderFamily, Signer};
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::{Client, StatusCode, Url};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep};

use crate::clock;

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
    /// One permit a request under way.
    pub(crate) slots: Arc<Semaphore>,
}

/// What is delivered: a message, by its place in the order of events, to one of the endpoints.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub(crate) index: usize,
    pub(crate) id: String,
    pub(crate) body: Bytes,
    pub(crate) endpoint: usize,
}

/// What came of a delivery.
#[derive(Debug)]
pub(crate) struct Delivered {
    pub(crate) index: usize,
    pub(crate) id: String,
    pub(crate) attempts: u64,
    /// `None` where no attempt was acked.
    pub(crate) ack: Option<Ack>,
}

/// An attempt that was acked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ack {
    pub(crate) at: Instant,
    pub(crate) latency: Duration,
}

/// What an answer means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Acked,
    TryAgain,
    GiveUp,
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
        let ack = loop {
            let started = Instant::now();
            let verdict = self.attempt(&delivery).await;
            attempts += 1;
            match verdict {
                Verdict::Acked => {
                    let at = Instant::now();
                    break Some(Ack { at, latency: at - started });
                }
                Verdict::GiveUp => break None,
                Verdict::TryAgain => {}
            }
            drop(slot.take());
            let Some(&wait) = waits.next() else { break None };
            sleep(wait).await;
            slot = Arc::clone(&self.slots).acquire_owned().await.ok();
        };
        Delivered { index: delivery.index, id: delivery.id, attempts, ack }
    }

    async fn attempt(&self, delivery: &Delivery) -> Verdict {
        let signer = &self.signers[delivery.endpoint];
        let signed = signer.sign(&delivery.id, clock::unix_seconds(), &delivery.body);
        let mut request = self.client.post(self.url.clone()).body(delivery.body.clone());
        for (name, value) in signed.iter(self.header_family) {
            request = request.header(name, value);
        }
        match request.header(CONTENT_TYPE, "application/json").send().await {
            Ok(response) => {
                let verdict = verdict(response.status(), response.headers());
                // The body has to be read for the connection to be used again.
                let _ = response.bytes().await;
                verdict
            }
            Err(_) => Verdict::TryAgain,
        }
    }
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
