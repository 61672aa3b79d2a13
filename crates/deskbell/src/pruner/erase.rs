//! Erasure of what is stored about deleted users, in the store and in the mirrors' dead
//! letters.

use deskbell_store::retention::{DeletedUser, Erasable, EraseOptions};
use deskbell_store::{Seq, StoreError};
use deskbell_sync::dead_letters;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::{Mirror, PAUSE, Pruner, ROWS_MAX};

impl Pruner {
    /// Erases every deleted user whose events everybody has read.
    pub(super) async fn erase(
        &mut self,
        external_checkpoint: Option<Seq>,
        shutdown: &CancellationToken,
    ) -> Result<(), StoreError> {
        let destinations = self.pruning.destinations.clone();
        let erasing = EraseOptions { destinations, external_checkpoint, rows_max: ROWS_MAX };
        loop {
            let erasable = self.store.erasable(&erasing).await?;
            let mut users = 0;
            for one in &erasable {
                if shutdown.is_cancelled() {
                    return Ok(());
                }
                // The mirrors first: afterwards the message ids are unknown.
                if self.erase_dead_letters(one).await {
                    self.erase_user(&erasing, &one.user).await?;
                    users += 1;
                }
            }
            // Else those that cannot be erased now would be listed again and again.
            if users == 0 || users < erasable.len() {
                break;
            }
        }
        if self.to_scrub && self.store.scrub().await? {
            self.to_scrub = false;
        }
        Ok(())
    }

    async fn erase_user(
        &mut self,
        erasing: &EraseOptions,
        user: &DeletedUser,
    ) -> Result<(), StoreError> {
        let mut events = 0;
        loop {
            let erased = self.store.erase(erasing, user).await?;
            events += erased.events;
            self.to_scrub |= erased.events > 0;
            sleep(PAUSE).await;
            if !erased.more {
                break;
            }
        }
        tracing::info!(
            subject = user.user_id,
            source = user.source,
            events,
            "erased the data of a deleted user"
        );
        Ok(())
    }

    /// Whether no mirror has a dead letter of these messages any more.
    async fn erase_dead_letters(&self, erasable: &Erasable) -> bool {
        for Mirror { options, .. } in &self.mirrors {
            let destination = &options.destination;
            if let Err(error) =
                dead_letters::erase(options, &erasable.user.source, &erasable.message_ids).await
            {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(destination, error, "failed to erase dead letters; retrying");
                return false;
            }
        }
        true
    }
}
