//! Turns: what one process at a time may do, of all that share a store.

use std::time::Duration;

use async_trait::async_trait;
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::{BackendError, Store, StoreError};

/// How long nobody else begins after the last sign of life of the one whose turn it is.
const LEASE: Duration = Duration::from_secs(3);
/// Between signs of life, and between looks whether it is our turn.
const BEAT: Duration = Duration::from_millis(750);

/// Who acts for a consumer of the log.
#[async_trait]
pub trait TakesTurns: Send {
    /// Acts until `shutdown`. Called at the beginning of each turn: others may have acted since the
    /// one before.
    ///
    /// Where the turn is lost the future is dropped, since another process may act from then on;
    /// what it had sent to the database already, the consumer's fencing token keeps from taking
    /// effect late.
    async fn act(&mut self, shutdown: CancellationToken);
}

/// Lets the actor act whenever it is this process's turn at the consumer, until `shutdown`.
pub async fn while_in_turn(
    store: &dyn Store,
    consumer: &str,
    shutdown: &CancellationToken,
    actor: &mut dyn TakesTurns,
) {
    let mut was_answered = true;
    while !shutdown.is_cancelled() {
        let asked = Instant::now();
        match hold(store, consumer, asked + LEASE).await {
            Ok(true) => {
                was_answered = true;
                tokio::select! {
                    () = actor.act(shutdown.clone()) => {}
                    () = keep(store, consumer, asked + LEASE) => {
                        tracing::warn!(consumer, "another process may lead this consumer now");
                    }
                }
                release(store, consumer).await;
            }
            Ok(false) => was_answered = true,
            Err(error) => {
                // Said once, however often it is asked until the store is back.
                if was_answered {
                    report(consumer, &error);
                }
                was_answered = false;
            }
        }
        shutdown.run_until_cancelled(sleep(BEAT)).await;
    }
}

/// Gives signs of life; returns when the turn has been lost.
async fn keep(store: &dyn Store, consumer: &str, mut held_until: Instant) {
    loop {
        sleep(BEAT).await;
        let asked = Instant::now();
        match hold(store, consumer, held_until).await {
            Ok(true) => held_until = asked + LEASE,
            Err(error) if Instant::now() < held_until => report(consumer, &error),
            Ok(false) | Err(_) => return,
        }
    }
}

/// A database that is away may not even say so.
async fn hold(store: &dyn Store, consumer: &str, until: Instant) -> Result<bool, StoreError> {
    match timeout_at(until, store.hold_consumer(consumer, LEASE)).await {
        Ok(answer) => answer,
        Err(elapsed) => Err(StoreError::Unavailable(BackendError::new(elapsed))),
    }
}

async fn release(store: &dyn Store, consumer: &str) {
    // Where it fails the others find out when the lease ends.
    let _ = timeout(LEASE, store.release_consumer(consumer)).await;
}

fn report(consumer: &str, error: &StoreError) {
    tracing::warn!(
        consumer,
        error = error as &dyn std::error::Error,
        "cannot renew the lease of a consumer"
    );
}
