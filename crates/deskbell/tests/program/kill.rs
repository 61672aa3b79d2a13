//! `kill -9` at random moments under load: every event that was acknowledged is in the log, once.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use deskbell_sim::{Message, Scenario, World, drift};
use deskbell_store::{EventLog, ReadLimit, Seq, SqliteStore, Store};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tokio::task::JoinSet;

use super::support::{Serving, directory, http_client, kills, mirror_at, send};

/// Kills in a run of `cargo xtask test`, and with `--long`.
const KILLS: usize = 6;
const KILLS_LONG: usize = 50;
/// Senders at the same time.
const SENDERS: usize = 16;
/// A process is killed after at most this many acknowledgements.
const ACKS_MAX: usize = 400;

/// What the senders have between them, over all processes.
struct Clerk {
    /// Sent or not, but not acknowledged: sent again, as Clerk's sender would.
    pending: Mutex<Vec<Message>>,
    acked: Mutex<BTreeSet<String>>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_acknowledged_event_survives_kill_9_and_stands_in_the_log_once() {
    let (kills, seed) = (kills(KILLS, KILLS_LONG), rand::rng().random::<u64>());
    println!("seed {seed}, {kills} kills");
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let directory = directory();
    let mut world = World::new(&Scenario::new(seed, kills * ACKS_MAX));
    let clerk =
        Arc::new(Clerk { pending: Mutex::new(world.by_ref().collect()), acked: Mutex::default() });
    for _ in 0..kills {
        let serving = Serving::start(directory.path()).await;
        let after_acks = random.random_range(1..ACKS_MAX);
        send_until_killed(&clerk, serving, after_acks).await;
        let acked = clerk.acked.lock().unwrap().clone();
        assert_acked_once(directory.path(), &acked).await;
    }
    let serving = Serving::start(directory.path()).await;
    send_all(&clerk, &serving.url()).await;
    let events = i64::try_from(clerk.acked.lock().unwrap().len()).unwrap();
    let reader = mirror_at(directory.path(), events).await;
    let mut tables = deskbell_sim::Tables::new();
    for table in ["users", "organizations", "organization_memberships"] {
        let rows = reader.rows(&format!("clerk_{table}")).await.unwrap();
        tables.insert(table.to_owned(), rows);
    }
    assert_eq!(drift(&world.into_truth(), &tables), [], "seed {seed}");
    assert_eq!(serving.terminate().await.0, 0);
}

/// Half of the senders' work is in flight when the process dies.
async fn send_until_killed(clerk: &Arc<Clerk>, serving: Serving, after_acks: usize) {
    let acks = Arc::new(AtomicUsize::new(0));
    let url = serving.url();
    let mut senders = JoinSet::new();
    for _ in 0..SENDERS {
        let (clerk, acks, url) = (Arc::clone(clerk), Arc::clone(&acks), url.clone());
        senders.spawn(async move {
            let http = http_client();
            while let Some(message) = clerk.next() {
                if !clerk.send(&http, &url, message).await {
                    return;
                }
                if acks.fetch_add(1, Ordering::SeqCst) + 1 >= after_acks {
                    return;
                }
            }
        });
    }
    senders.join_next().await.unwrap().unwrap();
    serving.kill().await;
    senders.join_all().await;
}

async fn send_all(clerk: &Arc<Clerk>, url: &str) {
    let mut senders = JoinSet::new();
    for _ in 0..SENDERS {
        let (clerk, url) = (Arc::clone(clerk), url.to_owned());
        senders.spawn(async move {
            let http = http_client();
            while let Some(message) = clerk.next() {
                assert!(clerk.send(&http, &url, message).await, "nobody kills this one");
            }
        });
    }
    senders.join_all().await;
}

impl Clerk {
    fn next(&self) -> Option<Message> {
        self.pending.lock().unwrap().pop()
    }

    /// Whether it was acknowledged; if not, it is pending again.
    async fn send(&self, http: &reqwest::Client, url: &str, message: Message) -> bool {
        let acked = send(http, url, &message).await == Some(200);
        if acked {
            self.acked.lock().unwrap().insert(message.id);
        } else {
            self.pending.lock().unwrap().push(message);
        }
        acked
    }
}

async fn assert_acked_once(directory: &Path, acked: &BTreeSet<String>) {
    let store = SqliteStore::open(&directory.join("deskbell.db")).await.unwrap();
    let mut times_stored: HashMap<String, usize> = HashMap::new();
    let mut after = Seq::ZERO;
    loop {
        let events = store.read(after, ReadLimit::default()).await.unwrap();
        let Some(last) = events.last() else { break };
        after = last.seq;
        for event in events {
            *times_stored.entry(event.event.message_id).or_default() += 1;
        }
    }
    store.close().await;
    for id in acked {
        assert_eq!(times_stored.get(id), Some(&1), "{id} was acknowledged");
    }
    assert!(times_stored.values().all(|times| *times == 1), "nothing is stored twice");
}
