//! Rows whose events the log no longer has, and that were made by another mapping.

use super::error::SyncError;
use super::state::MirrorConsumer;
use crate::checkpoint::Checkpoint;
use crate::mirror_target::{Remade, Rest};

impl MirrorConsumer {
    /// Makes the next few of them again. `current` is the target's checkpoint, at the end of the
    /// log: what the log has is better than what the rows have kept.
    pub(super) async fn remake(&mut self, current: Checkpoint) -> Result<Remade, SyncError> {
        if !self.remaking {
            return Ok(Remade::default());
        }
        // As with a batch: until it is known whether this took effect, nothing is.
        self.position = None;
        let ahead = self.ahead.take();
        let remade = self.target.remake(&current).await?;
        let remade = remade.ok_or_else(|| self.superseded())?;
        self.position = Some(current);
        self.remaking = remade.rest != Rest::None;
        self.ahead = ahead;
        Ok(remade)
    }
}
