//! A receiver that has bad moments: it refuses some requests, breaks some connections, and notes
//! what it accepted.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use clerk_webhooks::{Secret, Verifier};
use deskbell_sim::Latencies;
use deskbell_sim::receiver::{Received, Receiver, Reply};
use deskbell_store::clock;
use tokio::time::{Instant, MissedTickBehavior};

/// Of a hundred requests, those that are answered with 503, and those that end with the connection.
const REFUSED_PERCENT: u64 = 5;
const CLOSED_PERCENT: u64 = 1;
/// From this attempt on a message is always accepted, so that a demo ends.
const ATTEMPT_ACCEPTED: usize = 6;
/// Waiting ends when nothing has been accepted for this long.
const STANDSTILL_MAX: Duration = Duration::from_secs(30);
/// How often what was accepted is looked at.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// A flaky receiver on a port of this machine.
#[derive(Debug)]
pub(super) struct Flaky {
    receiver: Receiver,
    inbox: Arc<Mutex<Inbox>>,
}

/// What has come in.
#[derive(Debug, Default)]
struct Inbox {
    attempts: u64,
    /// When each message was accepted first. Its signature was good.
    accepted_at: HashMap<String, Instant>,
}

/// What the deliveries of a run came to.
#[derive(Debug)]
pub(crate) struct Delivered {
    /// Acknowledged events that the receiver accepted.
    pub(crate) delivered: usize,
    /// Those that it did not.
    pub(crate) undelivered: usize,
    /// The median time from the acknowledgement to the first accepted arrival, in milliseconds.
    pub(crate) ms_p50: f64,
    /// Requests in all.
    pub(crate) attempts: u64,
}

impl Flaky {
    /// Listens. What it refuses follows from the seed, the message's id, and the attempt.
    pub(super) async fn start(secret: &Secret, seed: u64) -> io::Result<Self> {
        let inbox = Arc::new(Mutex::new(Inbox::default()));
        let verifier = Verifier::new(secret.clone());
        let noted = Arc::clone(&inbox);
        let plan = move |received: &Received| {
            let reply = reply(&verifier, seed, received);
            lock(&noted).note(received, reply);
            reply
        };
        Ok(Self { receiver: Receiver::start_forgetful(plan).await?, inbox })
    }

    pub(super) fn url(&self) -> String {
        self.receiver.url()
    }

    /// Returns once every one of these messages has been accepted, or nothing comes any more.
    pub(super) async fn wait_for(&self, acked_at: &HashMap<String, Instant>) -> Delivered {
        let mut missing: Vec<&String> = acked_at.keys().collect();
        let mut moved = Instant::now();
        let mut look = tokio::time::interval(POLL_INTERVAL);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while !missing.is_empty() && moved.elapsed() < STANDSTILL_MAX {
            look.tick().await;
            let before = missing.len();
            let inbox = lock(&self.inbox);
            missing.retain(|id| !inbox.accepted_at.contains_key(*id));
            if missing.len() < before {
                moved = Instant::now();
            }
        }
        let (inbox, mut latencies) = (lock(&self.inbox), Latencies::default());
        for (id, acked_at) in acked_at {
            if let Some(accepted_at) = inbox.accepted_at.get(id) {
                latencies.record(accepted_at.saturating_duration_since(*acked_at));
            }
        }
        let (delivered, undelivered) = (latencies.count(), missing.len());
        let [ms_p50] = latencies.percentiles_ms([50]);
        Delivered { delivered, undelivered, ms_p50, attempts: inbox.attempts }
    }
}

impl Inbox {
    fn note(&mut self, received: &Received, reply: Reply) {
        self.attempts += 1;
        if reply == ACCEPTED {
            let id = received.message_id.clone();
            self.accepted_at.entry(id).or_insert_with(Instant::now);
        }
    }
}

const ACCEPTED: Reply = Reply::Status(204);

fn reply(verifier: &Verifier, seed: u64, received: &Received) -> Reply {
    let now = UNIX_EPOCH + Duration::from_millis(clock::now_ms().unsigned_abs());
    if verifier.verify(&received.headers, &received.body, now).is_err() {
        return Reply::Status(401);
    }
    match chance(seed, received) {
        _ if received.attempt >= ATTEMPT_ACCEPTED => ACCEPTED,
        0..REFUSED_PERCENT => Reply::Status(503),
        percent if percent < REFUSED_PERCENT + CLOSED_PERCENT => Reply::Close,
        _ => ACCEPTED,
    }
}

/// A number below a hundred, the same one for the same attempt of a message.
fn chance(seed: u64, received: &Received) -> u64 {
    let mut hasher = DefaultHasher::new();
    (seed, &received.message_id, received.attempt).hash(&mut hasher);
    hasher.finish() % 100
}

fn lock(inbox: &Mutex<Inbox>) -> MutexGuard<'_, Inbox> {
    inbox.lock().unwrap_or_else(PoisonError::into_inner)
}
