//! Erasure of what is stored about users who are gone, in the store and in the mirrors' dead
//! letters.

use deskbell_store::upkeep::{Erasable, Erasing, Gone};
use deskbell_store::{Seq, StoreError};
use deskbell_sync::dead_letters;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::{Mirror, PAUSE, Pruner, ROWS_MAX};

impl Pruner {
    /// Erases every user who is gone and has been dealt with by everybody.
    pub(super) async fn erase(
        &mut self,
        keep_behind: Option<Seq>,
        shutdown: &CancellationToken,
    ) -> Result<(), StoreError> {
        let destinations = self.pruning.destinations.clone();
        let erasing = Erasing { destinations, keep_behind, rows_max: ROWS_MAX };
        loop {
            let erasable = self.upkeep.erasable(&erasing).await?;
            let mut users = 0;
            for user in &erasable {
                if shutdown.is_cancelled() {
                    return Ok(());
                }
                // The mirrors first: afterwards nobody knows which messages they were.
                if self.erase_letters(user).await {
                    self.erase_user(&erasing, &user.gone).await?;
                    users += 1;
                }
            }
            // Those that could not be erased now would come again and again.
            if users == 0 || users < erasable.len() {
                break;
            }
        }
        if self.to_scrub && self.upkeep.scrub().await? {
            self.to_scrub = false;
        }
        Ok(())
    }

    async fn erase_user(&mut self, erasing: &Erasing, gone: &Gone) -> Result<(), StoreError> {
        let mut events = 0;
        loop {
            let erased = self.upkeep.erase(erasing, gone).await?;
            events += erased.events;
            self.to_scrub |= erased.events > 0;
            sleep(PAUSE).await;
            if !erased.more {
                break;
            }
        }
        tracing::info!(
            subject = gone.user,
            source = gone.source,
            events,
            "erased the data of a deleted user"
        );
        Ok(())
    }

    /// Whether no mirror has a dead letter of these messages any more.
    async fn erase_letters(&self, user: &Erasable) -> bool {
        for Mirror { options, .. } in &self.mirrors {
            let destination = &options.destination;
            if let Err(error) =
                dead_letters::erase(options, &user.gone.source, &user.message_ids).await
            {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(destination, error, "failed to erase dead letters; retrying");
                return false;
            }
        }
        true
    }
}
