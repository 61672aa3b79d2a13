//! The state of a backfill while it runs: in memory, and in the store.

use deskbell_store::{Leases, StoreError};
use tokio::sync::watch;

use super::state::{BackfillState, WalkState};

/// The consumer whose leader fills mirrors; its report is the state.
pub const BACKFILL: &str = "backfill";

/// The state could not be kept.
#[derive(Debug, thiserror::Error)]
pub enum ProgressError {
    #[error("cannot write the progress of the backfill to the event log's store")]
    Store(#[from] StoreError),
    #[error("another process fills the mirrors now")]
    NotLeader,
}

/// The state of this process's backfill.
#[derive(Debug)]
pub struct BackfillProgress<'a> {
    store: &'a dyn Leases,
    state: watch::Sender<BackfillState>,
}

impl<'a> BackfillProgress<'a> {
    /// Goes on from what the store has.
    ///
    /// # Errors
    /// The store could not be read.
    pub async fn load(store: &'a dyn Leases) -> Result<Self, StoreError> {
        let state = read_backfill_state(store).await?.unwrap_or_default();
        Ok(Self { store, state: watch::Sender::new(state) })
    }

    /// The state, as it changes.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<BackfillState> {
        self.state.subscribe()
    }

    pub(crate) fn now(&self) -> BackfillState {
        self.state.borrow().clone()
    }

    /// Notes how far a walk of these destinations and entities is.
    pub(super) async fn note(
        &self,
        walks: &[(&str, &str)],
        walk: &WalkState,
    ) -> Result<(), ProgressError> {
        self.change(|state| {
            for (destination, entity) in walks {
                state.set(destination, entity, walk.clone());
            }
        })
        .await
    }

    /// Changes the state, and writes it.
    ///
    /// # Errors
    /// The store could not be written, or another process leads.
    pub async fn change(
        &self,
        change: impl FnOnce(&mut BackfillState),
    ) -> Result<(), ProgressError> {
        self.state.send_modify(change);
        // Strings and numbers: it cannot fail.
        let body = serde_json::to_string(&self.now()).unwrap_or_default();
        match self.store.publish_report(BACKFILL, &body).await? {
            true => Ok(()),
            false => Err(ProgressError::NotLeader),
        }
    }
}

/// The state that the store has; `None` where nothing was ever filled.
///
/// # Errors
/// The store could not be read.
pub async fn read_backfill_state(store: &dyn Leases) -> Result<Option<BackfillState>, StoreError> {
    let report = store.latest_report(BACKFILL).await?;
    Ok(report.and_then(|report| serde_json::from_str(&report.body).ok()))
}
