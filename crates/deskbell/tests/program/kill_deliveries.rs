//! `kill -9` in the middle of deliveries: what was acknowledged arrives, and little of it twice.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use clerk_webhooks::{Secret, Verifier};
use deskbell_sim::receiver::{Received, Receiver, Reply};
use deskbell_sim::{Message, Scenario, World};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tempfile::TempDir;
use tokio::task::JoinSet;

use super::support::{
    ENDPOINT_SECRET, Serving, forwarding_to, http_client, kills, now, send, within,
};

/// Kills in a run of `cargo xtask test`, and with `--long`.
const KILLS: usize = 4;
const KILLS_LONG: usize = 40;
/// Senders at the same time.
const SENDERS: usize = 8;
/// A process is killed after at most this many accepted deliveries.
const ARRIVALS_MAX: usize = 400;
const IN_FLIGHT_MAX: usize = 16;
/// Attempts that a process which is killed may have made and not written down: those in flight,
/// and those that ended while the ones before them were written down.
const UNSETTLED_MAX: usize = 3 * IN_FLIGHT_MAX;

/// How often the receiver accepted which message.
type Accepted = Arc<Mutex<HashMap<String, usize>>>;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_acknowledged_event_arrives_and_only_those_in_flight_at_a_kill_arrive_again() {
    let (kills, seed) = (kills(KILLS, KILLS_LONG), rand::rng().random::<u64>());
    println!("seed {seed}, {kills} kills");
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let (receiver, accepted) = receiver().await;
    let directory = directory(&receiver.url());
    // More than is delivered between all kills, so that there is something in flight at each.
    let messages = World::new(&Scenario::new(seed, (kills + 1) * ARRIVALS_MAX));
    let mut pending: Vec<Message> = messages.collect();
    let mut acked = Vec::new();
    for _ in 0..kills {
        let serving = Serving::start(directory.path()).await;
        let batch = pending.split_off(pending.len() - ARRIVALS_MAX);
        let arrivals = receiver.count() + random.random_range(1..ARRIVALS_MAX);
        acked.extend(send_and_kill(serving, batch, &receiver, arrivals, &mut pending).await);
    }
    let serving = Serving::start(directory.path()).await;
    let (sent, left) = send_all(&serving.url(), std::mem::take(&mut pending)).await;
    assert!(left.is_empty(), "nobody kills this one");
    acked.extend(sent);
    loop {
        // Before the look: what arrives in between ends the wait.
        let count = receiver.count();
        if acked.iter().all(|id| accepted.lock().unwrap().contains_key(id)) {
            break;
        }
        within(receiver.wait_for(count + 1)).await;
    }
    assert_eq!(serving.terminate().await.0, 0);
    let again: usize = accepted.lock().unwrap().values().map(|times| times - 1).sum();
    println!("{} messages, {again} of them accepted again", acked.len());
    assert!(again <= kills * UNSETTLED_MAX, "{again} duplicates, seed {seed}");
}

/// Accepts what is signed well, but for one in twenty, which it refuses once.
async fn receiver() -> (Receiver, Accepted) {
    let accepted = Accepted::default();
    let (noted, verifier) =
        (Arc::clone(&accepted), Verifier::new(Secret::parse(ENDPOINT_SECRET).unwrap()));
    let plan = move |received: &Received| {
        verifier.verify(&received.headers, &received.body, now()).unwrap();
        let is_unlucky = received.message_id.bytes().map(u32::from).sum::<u32>() % 20 == 0;
        if is_unlucky && received.attempt == 1 {
            return Reply::Status(503);
        }
        *noted.lock().unwrap().entry(received.message_id.clone()).or_default() += 1;
        Reply::Status(200)
    };
    (Receiver::start_forgetful(plan).await.unwrap(), accepted)
}

fn directory(url: &str) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    forwarding_to(directory.path(), url, &format!("max_in_flight = {IN_FLIGHT_MAX}"));
    directory
}

/// Sends, and kills the process once the receiver has had so many requests; the ids of what was
/// acknowledged. What was not is pending again.
async fn send_and_kill(
    serving: Serving,
    batch: Vec<Message>,
    receiver: &Receiver,
    arrivals: usize,
    pending: &mut Vec<Message>,
) -> Vec<String> {
    let url = serving.url();
    let killing = async {
        within(receiver.wait_for(arrivals)).await;
        serving.kill().await;
    };
    let ((), (acked, left)) = tokio::join!(killing, send_all(&url, batch));
    pending.extend(left);
    acked
}

/// Sends each message once: the ids of those that were acknowledged, and the others.
async fn send_all(url: &str, messages: Vec<Message>) -> (Vec<String>, Vec<Message>) {
    let messages = Arc::new(Mutex::new(messages));
    let mut senders = JoinSet::new();
    for _ in 0..SENDERS {
        let (messages, url) = (Arc::clone(&messages), url.to_owned());
        senders.spawn(async move {
            let (http, mut acked, mut left) = (http_client(), Vec::new(), Vec::new());
            loop {
                let Some(message) = messages.lock().unwrap().pop() else { break (acked, left) };
                match send(&http, &url, &message).await {
                    Some(200) => acked.push(message.id),
                    _ => left.push(message),
                }
            }
        });
    }
    let (mut acked, mut left) = (Vec::new(), Vec::new());
    while let Some(sender) = senders.join_next().await {
        let (more_acked, more_left) = sender.unwrap();
        acked.extend(more_acked);
        left.extend(more_left);
    }
    (acked, left)
}
