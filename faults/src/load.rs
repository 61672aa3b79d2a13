//! The load: a simulated Clerk that sends signed events, some twice, until it is stopped.

use std::iter::from_fn;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use clerk_webhooks::{HeaderFamily, Secret, Signer};
use deskbell_sim::{
    Progress, Report, Scenario, Sender, SenderOptions, Truth, World, compressed_schedule,
};
use reqwest::Client;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::error::FaultError;
use crate::ledger::Ledger;

/// The secret that events are signed with.
pub(crate) const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// Where they are sent to.
pub(crate) const PATH: &str = "/api/webhooks";
/// Senders with connections of their own, so that each replica always has some of the load.
const SENDERS: u32 = 6;
/// A load ends here at the latest.
const EVENTS_MAX: usize = 200_000;
/// An answer that takes longer is none, so that a silent replica costs little.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(5);
/// After the usual schedule the sender goes on so often and at these intervals: longer than any fault is.
const RETRIES_MORE: usize = 12;
const RETRY_INTERVAL: Duration = Duration::from_secs(5);

/// A load that can be stopped.
#[derive(Debug)]
pub(crate) struct Load {
    pub(crate) seed: u64,
    pub(crate) events_per_second: f64,
    pub(crate) ledger: Arc<Ledger>,
    stopped: AtomicBool,
    acked: watch::Sender<u64>,
}

#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) acked: u64,
    pub(crate) duplicates: u64,
    pub(crate) retries: u64,
    /// The messages that were given up.
    pub(crate) unacked: Vec<String>,
    /// What the mirror must hold.
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

    /// Sends to this host until stopped, and returns once every event is acked or given up.
    pub(crate) async fn run(self: Arc<Self>, host: &str) -> Result<Loaded, FaultError> {
        let world = Arc::new(Mutex::new(World::new(&Scenario::new(self.seed, EVENTS_MAX))));
        let mut senders = JoinSet::new();
        for number in 0..SENDERS {
            let sender = self.sender(host, number)?;
            senders.spawn(Arc::clone(&self).send(sender, Arc::clone(&world)));
        }
        let reports = senders.join_all().await;
        let sum = |count: fn(&Report) -> u64| reports.iter().map(count).sum();
        let truth = lock(&world).truth().clone();
        let mut loaded = Loaded {
            acked: sum(|report| report.acked),
            duplicates: sum(|report| report.duplicates),
            retries: sum(|report| report.retries),
            unacked: Vec::new(),
            truth,
        };
        for report in reports {
            self.ledger.note_acked(report.acked_at.into_keys());
            loaded.unacked.extend(report.unacked);
        }
        Ok(loaded)
    }

    fn sender(&self, host: &str, number: u32) -> Result<Sender, FaultError> {
        let mut retry_schedule = compressed_schedule();
        retry_schedule.extend([RETRY_INTERVAL; RETRIES_MORE]);
        Ok(Sender::new(SenderOptions {
            seed: self.seed ^ u64::from(number),
            rate_per_second: Some(self.events_per_second / f64::from(SENDERS)),
            retry_schedule,
            timeout: ANSWER_TIME_MAX,
            ..SenderOptions::new(format!("http://{host}{PATH}"), Secret::parse(SECRET)?)
        })?)
    }

    async fn send(self: Arc<Self>, sender: Sender, world: Arc<Mutex<World>>) -> Report {
        let messages = from_fn(|| {
            if self.stopped.load(Ordering::Relaxed) {
                return None;
            }
            let message = lock(&world).next()?;
            self.ledger.note_sent(&message.id, &message.body);
            Some(message)
        });
        let mut noted = 0;
        let progress = |progress: &Progress| {
            self.acked.send_modify(|acked| *acked += progress.acked - noted);
            noted = progress.acked;
        };
        sender.run(messages, progress).await
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

/// Sends what is authentic and no event; the status of the answer, where there is one.
pub(crate) async fn send_nonsense(
    client: &Client,
    host: &str,
    id: &str,
) -> Result<Option<u16>, FaultError> {
    let signed = Signer::new(&Secret::parse(SECRET)?)?.sign(id, now_seconds(), b"[]");
    let mut request = client.post(format!("http://{host}{PATH}")).body("[]");
    for (name, value) in signed.iter(HeaderFamily::Svix) {
        request = request.header(name, value);
    }
    Ok(request.send().await.ok().map(|reply| reply.status().as_u16()))
}

#[expect(clippy::disallowed_methods, reason = "signatures contain the real time")]
fn now_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

fn lock(world: &Mutex<World>) -> MutexGuard<'_, World> {
    world.lock().unwrap_or_else(PoisonError::into_inner)
}
