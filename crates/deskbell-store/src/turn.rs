//! Turns: what one process at a time may do, of all that share a store.

use std::time::Duration;

use async_trait::async_trait;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::{Store, StoreError};

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
    while !shutdown.is_cancelled() {
        match store.hold_consumer(consumer, LEASE).await {
            Ok(true) => {
                tokio::select! {
                    () = actor.act(shutdown.clone()) => {}
                    () = keep(store, consumer) => {
                        tracing::warn!(consumer, "another process may act for the consumer");
                    }
                }
                release(store, consumer).await;
            }
            Ok(false) => {}
            Err(error) => report(consumer, &error),
        }
        shutdown.run_until_cancelled(sleep(BEAT)).await;
    }
}

/// Gives signs of life; returns when the turn has been lost.
async fn keep(store: &dyn Store, consumer: &str) {
    let mut held_until = Instant::now() + LEASE;
    loop {
        sleep(BEAT).await;
        let asked = Instant::now();
        let beat = tokio::time::timeout_at(held_until, store.hold_consumer(consumer, LEASE)).await;
        match beat {
            Ok(Ok(true)) => held_until = asked + LEASE,
            Ok(Err(error)) if Instant::now() < held_until => report(consumer, &error),
            Ok(Ok(false) | Err(_)) | Err(_) => return,
        }
    }
}

async fn release(store: &dyn Store, consumer: &str) {
    // The others find out by themselves when the lease ends.
    if let Err(error) = store.release_consumer(consumer).await {
        tracing::debug!(consumer, error = &error as &dyn std::error::Error, "not released");
    }
}

fn report(consumer: &str, error: &StoreError) {
    tracing::warn!(
        consumer,
        error = error as &dyn std::error::Error,
        "whose turn it is could not be asked"
    );
}
