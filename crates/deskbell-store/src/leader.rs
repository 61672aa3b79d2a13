//! Leader election: work that one process at a time may do, of all that share a store.

use std::time::Duration;

use async_trait::async_trait;
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::{BackendError, Leases, StoreError};

/// A leader that has not renewed its lease for this long may be replaced.
const LEASE: Duration = Duration::from_secs(3);
/// Between renewals of the lease, and between attempts to become the leader.
const HEARTBEAT_INTERVAL: Duration = Duration::from_millis(750);

/// The work of a consumer's leader.
#[async_trait]
pub trait Leader: Send {
    /// Leads until `shutdown`. Called each time this process becomes the leader: another process
    /// may have led since the last call.
    ///
    /// The future is dropped when the lease is lost, since another process may lead from then on.
    /// The consumer's fencing token keeps what was already sent to the database from taking
    /// effect late.
    async fn lead(&mut self, shutdown: CancellationToken);
}

/// Runs the leader's work while this process holds the consumer's lease, until `shutdown`.
pub async fn run_as_leader(
    leases: &dyn Leases,
    consumer: &str,
    shutdown: &CancellationToken,
    leader: &mut dyn Leader,
) {
    let mut was_answered = true;
    while !shutdown.is_cancelled() {
        let asked = Instant::now();
        match renew(leases, consumer, asked + LEASE).await {
            Ok(true) => {
                was_answered = true;
                tokio::select! {
                    () = leader.lead(shutdown.clone()) => {}
                    () = heartbeat(leases, consumer, asked + LEASE) => {
                        tracing::warn!(consumer, "another process may lead this consumer now");
                    }
                }
                release(leases, consumer).await;
            }
            Ok(false) => was_answered = true,
            Err(error) => {
                // Logged once, not at each attempt until the store is back.
                if was_answered {
                    report(consumer, &error);
                }
                was_answered = false;
            }
        }
        shutdown.run_until_cancelled(sleep(HEARTBEAT_INTERVAL)).await;
    }
}

/// Renews the lease; returns when it has been lost.
async fn heartbeat(leases: &dyn Leases, consumer: &str, mut held_until: Instant) {
    loop {
        sleep(HEARTBEAT_INTERVAL).await;
        let asked = Instant::now();
        match renew(leases, consumer, held_until).await {
            Ok(true) => held_until = asked + LEASE,
            Err(error) if Instant::now() < held_until => report(consumer, &error),
            Ok(false) | Err(_) => return,
        }
    }
}

/// A database that is away may not answer at all, hence the deadline.
async fn renew(leases: &dyn Leases, consumer: &str, until: Instant) -> Result<bool, StoreError> {
    match timeout_at(until, leases.renew_lease(consumer, LEASE)).await {
        Ok(answer) => answer,
        Err(elapsed) => Err(StoreError::Unavailable(BackendError::new(elapsed))),
    }
}

async fn release(leases: &dyn Leases, consumer: &str) {
    // If it fails, the lease expires by itself.
    let _ = timeout(LEASE, leases.release_lease(consumer)).await;
}

fn report(consumer: &str, error: &StoreError) {
    tracing::warn!(
        consumer,
        error = error as &dyn std::error::Error,
        "cannot renew the lease of a consumer"
    );
}
