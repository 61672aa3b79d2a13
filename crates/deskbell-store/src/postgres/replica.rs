//! This process among the replicas of the store: its heartbeat says what it can read, and the answer
//! what all of them can.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::sleep;

use super::contention::Contention;
use super::pools::Pools;

const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(10);

/// A replica, by the random name under which it holds leases.
#[derive(Debug)]
pub(super) struct Replica {
    pub(super) name: String,
    packs: AtomicBool,
    pub(super) contention: Contention,
}

impl Replica {
    pub(super) fn new() -> Self {
        Self {
            name: format!("{:016x}", rand::random::<u64>()),
            packs: AtomicBool::new(false),
            contention: Contention::default(),
        }
    }

    /// Whether payloads may be compressed: every replica can read them. Once it is so, it stays so.
    pub(super) fn packs(&self) -> bool {
        self.packs.load(Ordering::Relaxed)
    }

    pub(super) async fn beat(&self, pools: &Pools) {
        let beat = sqlx::query_scalar("SELECT deskbell.heartbeat_v1($1)").bind(&self.name);
        match beat.fetch_one(pools).await {
            Ok(packs) => self.packs.store(packs, Ordering::Relaxed),
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::debug!(error, "the replica's heartbeat failed");
            }
        }
    }
}

/// Beats until it is dropped.
pub(super) async fn beat_on(replica: Arc<Replica>, pools: Arc<Pools>) {
    loop {
        sleep(HEARTBEAT_INTERVAL).await;
        replica.beat(&pools).await;
    }
}
