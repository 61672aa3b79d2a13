//! How a worker stops, and gives back what it has not begun.

use std::sync::Arc;

use deskbell_store::StoreError;
use deskbell_store::deliveries::ClaimId;
use tokio::time::Instant;

use super::{Progress, Worker};

impl Worker {
    /// Lets others have what is in hand.
    pub(super) async fn give_back(&mut self) -> Result<(), StoreError> {
        if self.claimed.is_empty() {
            return Ok(());
        }
        let claims: Vec<ClaimId> =
            self.claimed.drain(..).map(|in_hand| in_hand.delivery.claim).collect();
        self.deliveries.release(&self.options.destination, &claims).await
    }

    /// Gives back what was not begun, and waits for the rest as long as the grace period.
    pub(super) async fn finish(&mut self) {
        let destination = Arc::clone(&self.options.destination);
        if let Err(error) = self.give_back().await {
            tracing::debug!(%destination, %error, "cannot release claims; they expire with their lease");
        }
        let deadline = Instant::now() + self.options.grace;
        while let Ok(Some(ended)) =
            tokio::time::timeout_at(deadline, self.in_flight.join_next()).await
        {
            self.take(ended);
        }
        let cut_off = self.in_flight.len();
        if cut_off > 0 {
            tracing::warn!(%destination, deliveries = cut_off, "attempts were cut off; they will be repeated");
        }
        self.in_flight.shutdown().await;
        if let Err(error) = self.settle(&mut Progress::default()).await {
            tracing::error!(
                %destination,
                error = &error as &dyn std::error::Error,
                "cannot store the results of the last attempts; the attempts will be repeated"
            );
        }
        if let Err(error) = self.flush_health().await {
            let error = &error as &dyn std::error::Error;
            tracing::debug!(%destination, error, "cannot store the destination's health");
        }
    }
}
