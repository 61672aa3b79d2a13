//! The load: a simulated Clerk that sends signed events, some twice, until it is told to stop.

use std::iter::from_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use clerk_webhooks::{HeaderFamily, Secret, Signer};
use deskbell_sim::{Report, Scenario, Sender, SenderOptions, Truth, World, compressed_schedule};
use reqwest::Client;
use tokio::sync::watch;

use crate::error::FaultError;
use crate::ledger::Ledger;

/// The secret that events are signed with.
pub(crate) const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// Where they are sent to.
pub(crate) const PATH: &str = "/api/webhooks";
/// A load ends here at the latest.
const EVENTS_MAX: usize = 200_000;
/// An answer that takes longer is none, so that a silent replica costs little.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(5);
/// After the usual schedule the sender goes on so often and at these intervals: longer than any fault is.
const RETRIES_MORE: usize = 12;
const RETRY_INTERVAL: Duration = Duration::from_secs(5);

/// A load that can be told to stop.
#[derive(Debug)]
pub(crate) struct Load {
    pub(crate) seed: u64,
    pub(crate) events_per_second: f64,
    pub(crate) ledger: Arc<Ledger>,
    stopped: AtomicBool,
    acked: watch::Sender<u64>,
}

/// What a load came to.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) report: Report,
    pub(crate) truth: Truth,
}

/// The answer to an event that was sent by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) has_retry_after: bool,
}

impl Load {
    pub(crate) fn new(seed: u64, events_per_second: f64, ledger: Arc<Ledger>) -> Self {
        let acked = watch::Sender::new(0);
        Self { seed, events_per_second, ledger, stopped: AtomicBool::new(false), acked }
    }

    /// Sends to this host until told to stop, and returns once every event is acked or given up.
    pub(crate) async fn run(&self, host: &str) -> Result<Loaded, FaultError> {
        let mut retry_schedule = compressed_schedule();
        retry_schedule.extend([RETRY_INTERVAL; RETRIES_MORE]);
        let sender = Sender::new(SenderOptions {
            seed: self.seed,
            rate_per_second: Some(self.events_per_second),
            retry_schedule,
            timeout: ANSWER_TIME_MAX,
            ..SenderOptions::new(format!("http://{host}{PATH}"), Secret::parse(SECRET)?)
        })?;
        let mut world = World::new(&Scenario::new(self.seed, EVENTS_MAX));
        let messages = from_fn(|| {
            if self.stopped.load(Ordering::Relaxed) {
                return None;
            }
            let message = world.next()?;
            self.ledger.note_sent(&message.id, &message.body);
            Some(message)
        });
        let report = sender
            .run(messages, |progress| {
                self.acked.send_replace(progress.acked);
            })
            .await;
        self.ledger.note_acked(report.acked_at.keys().cloned());
        Ok(Loaded { report, truth: world.into_truth() })
    }

    /// Returns once so many more events have been acked.
    pub(crate) async fn acked_more(&self, events: u64) {
        let enough = *self.acked.borrow() + events;
        // The sender lives as long as this load, so that waiting cannot fail.
        let _ = self.acked.subscribe().wait_for(|&acked| acked >= enough).await;
    }

    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }
}

/// Sends one event, of no entity, past the balancer; `None` where there is no answer.
pub(crate) async fn send_by_hand(
    client: &Client,
    host: &str,
    id: String,
    ledger: &Ledger,
) -> Result<Option<Answer>, FaultError> {
    let body = Bytes::from(format!(
        r#"{{"data":{{"id":"{id}"}},"object":"event","type":"fault.tried","timestamp":{}}}"#,
        now_seconds() * 1000
    ));
    ledger.note_sent(&id, &body);
    let signed = Signer::new(&Secret::parse(SECRET)?)?.sign(&id, now_seconds(), &body);
    let mut request = client.post(format!("http://{host}{PATH}")).body(body);
    for (name, value) in signed.iter(HeaderFamily::Svix) {
        request = request.header(name, value);
    }
    let Ok(reply) = request.send().await else { return Ok(None) };
    let status = reply.status().as_u16();
    if reply.status().is_success() {
        ledger.note_acked([id]);
    }
    Ok(Some(Answer { status, has_retry_after: reply.headers().contains_key("retry-after") }))
}

#[expect(clippy::disallowed_methods, reason = "signatures bear the real time")]
fn now_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
