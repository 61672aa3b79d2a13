//! A store that may not grow any more: what its replica answers, and what it says of itself.

use std::time::Duration;

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use tokio::time::{Instant, sleep};

use super::injected::{Injected, milliseconds, says, shown};
use crate::balancer::readiness;
use crate::error::FaultError;
use crate::load::{Answer, send_by_hand};
use crate::replica::Replica;
use crate::store::Store;
use crate::test_cluster::TestCluster;

/// How long a store may take until it is full.
const FULL_TIME_MAX: Duration = Duration::from_secs(60);
/// What may still be written before it is, in bytes.
const BYTES_LEFT_MAX: u64 = 256 << 10;
/// Between two events that are sent by hand once it is.
const SEND_INTERVAL: Duration = Duration::from_millis(50);
/// After one refusal a smaller event may find room before `/readyz` is asked; after so many, not each time.
const REFUSALS_MIN: u32 = 3;
/// A replica whose store may grow again says that it is ready after this at the latest: it goes by the refusal for 5 s
/// where no event comes.
const READY_AGAIN_TIME_MAX: Duration = Duration::from_secs(10);

/// Sends events by hand, past the balancer, and asks after each refusal whether the replica is ready.
struct Probe<'a> {
    cluster: &'a TestCluster<'a>,
    replica: &'a Replica,
    sent: u32,
    refused: u32,
    said_not_ready: bool,
    wrong: Vec<String>,
}

/// No file of the replica may grow beyond the store's size and a little more.
pub(super) async fn full(
    cluster: &TestCluster<'_>,
    random: &mut ChaCha8Rng,
) -> Result<Injected, FaultError> {
    let replica = &cluster.replicas[0];
    let limit = bytes_of(&cluster.store)? + random.random_range(0..BYTES_LEFT_MAX);
    let held = milliseconds(random, 1_000..6_000);
    replica.limit_files(Some(limit)).await?;
    let mut probe =
        Probe { cluster, replica, sent: 0, refused: 0, said_not_ready: false, wrong: Vec::new() };
    probe.fill(limit).await?;
    probe.go_on(held).await?;
    let mut wrong = probe.wrong;
    replica.limit_files(None).await?;
    if !says(&cluster.client, replica, true, READY_AGAIN_TIME_MAX).await {
        wrong.push("/readyz says not ready although the store may grow again".to_owned());
    }
    Ok(Injected { what: format!("at {limit} bytes, for {}", shown(held)), wrong })
}

impl Probe<'_> {
    /// Sends until an event is refused.
    async fn fill(&mut self, limit: u64) -> Result<(), FaultError> {
        let started = Instant::now();
        while self.refused == 0 && self.wrong.is_empty() {
            self.send().await?;
            if started.elapsed() > FULL_TIME_MAX {
                self.wrong.push(format!("the store of {limit} bytes at most was never full"));
            }
        }
        Ok(())
    }

    /// Sends for so long.
    async fn go_on(&mut self, held: Duration) -> Result<(), FaultError> {
        let started = Instant::now();
        while started.elapsed() < held && self.wrong.is_empty() {
            sleep(SEND_INTERVAL).await;
            self.send().await?;
        }
        if !self.said_not_ready && self.refused >= REFUSALS_MIN {
            let refused = self.refused;
            self.wrong.push(format!("/readyz says ready after each of {refused} refused events"));
        }
        Ok(())
    }

    async fn send(&mut self) -> Result<(), FaultError> {
        let (client, host) = (&self.cluster.client, self.replica.address().to_string());
        self.sent += 1;
        let id = format!("msg_full_{}", self.sent);
        match send_by_hand(client, &host, id, &self.cluster.ledger).await? {
            Some(Answer { status: 200, .. }) => {}
            Some(Answer { status: 503, has_retry_after }) => {
                self.refused += 1;
                if !has_retry_after {
                    self.wrong.push("503 without Retry-After while the store is full".to_owned());
                }
                self.said_not_ready |=
                    readiness(client, self.replica.address()).await == Some(false);
            }
            other => {
                self.wrong.push(format!("an event was answered with {other:?}, not with 503"));
            }
        }
        Ok(())
    }
}

/// The greater one of the store's file and its write-ahead log.
fn bytes_of(store: &Store) -> Result<u64, FaultError> {
    let Store::Sqlite(path) = store else { return Ok(0) };
    let log = path.with_extension("db-wal");
    Ok(std::fs::metadata(path)?.len().max(std::fs::metadata(log).map_or(0, |log| log.len())))
}
