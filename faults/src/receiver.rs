//! Where deliveries go: it counts what it accepts, and fails one request in ten.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use clerk_webhooks::{Secret, Verifier};
use deskbell_sim::receiver::{Received, Receiver, Reply};

use crate::error::FaultError;
use crate::ledger::Ledger;

/// The secret that deliveries are signed with.
pub(crate) const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
/// Of a hundred requests, so many are answered with 500.
const FAILED_PERCENT: u64 = 10;

/// A receiver on a port of this machine.
#[derive(Debug)]
pub(crate) struct Inbox {
    receiver: Receiver,
    noted: Arc<Mutex<Noted>>,
}

#[derive(Debug, Default, Clone)]
pub(crate) struct Noted {
    /// How often each message was accepted.
    pub(crate) accepted: HashMap<String, usize>,
    /// What should not have come like this.
    pub(crate) wrong: Vec<String>,
}

impl Inbox {
    /// Listens. What it fails follows from the seed, the message's id and the attempt.
    pub(crate) async fn start(seed: u64, ledger: Arc<Ledger>) -> Result<Self, FaultError> {
        let noted = Arc::new(Mutex::new(Noted::default()));
        let (notes, verifier) = (Arc::clone(&noted), Verifier::new(Secret::parse(SECRET)?));
        let plan = move |received: &Received| {
            if let Some(wrong) = wrong(received, &verifier, &ledger) {
                lock(&notes).wrong.push(wrong);
            }
            if chance(seed, received) < FAILED_PERCENT {
                return Reply::Status(500);
            }
            *lock(&notes).accepted.entry(received.message_id.clone()).or_default() += 1;
            Reply::Status(200)
        };
        Ok(Self { receiver: start(plan).await?, noted })
    }

    pub(crate) fn url(&self) -> String {
        self.receiver.url()
    }

    pub(crate) fn noted(&self) -> Noted {
        lock(&self.noted).clone()
    }
}

async fn start(plan: impl Fn(&Received) -> Reply + Send + Sync + 'static) -> io::Result<Receiver> {
    Receiver::start_forgetful(plan).await
}

/// A bad signature, or another body than the one that was sent.
fn wrong(received: &Received, verifier: &Verifier, ledger: &Ledger) -> Option<String> {
    let Received { headers, body, message_id, .. } = received;
    if let Err(error) = verifier.verify(headers, body, now()) {
        return Some(format!("the receiver got {message_id} with a bad signature: {error}"));
    }
    match ledger.sent(message_id) {
        Some(sent) if sent == *body => None,
        Some(_) => Some(format!("the receiver got {message_id} with another body")),
        None => Some(format!("the receiver got {message_id}, which was never sent")),
    }
}

/// A number below a hundred, the same one for the same attempt at a message.
fn chance(seed: u64, received: &Received) -> u64 {
    let mut hasher = DefaultHasher::new();
    (seed, &received.message_id, received.attempt).hash(&mut hasher);
    hasher.finish() % 100
}

#[expect(clippy::disallowed_methods, reason = "signatures are checked against the real time")]
fn now() -> SystemTime {
    SystemTime::now()
}

fn lock(noted: &Mutex<Noted>) -> MutexGuard<'_, Noted> {
    noted.lock().unwrap_or_else(PoisonError::into_inner)
}
