//! Which revision of the declarations this process has applied.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::timeout;

/// How long a change waits until this process has applied it.
const APPLY_MAX: Duration = Duration::from_secs(3);

/// Shared by whoever declares something and whoever applies it. Clones are one.
#[derive(Debug, Clone)]
pub(crate) struct Applied {
    revision: Arc<watch::Sender<i64>>,
    wanted: Arc<Notify>,
}

impl Applied {
    pub(crate) fn new(revision: i64) -> Self {
        Self { revision: Arc::new(watch::Sender::new(revision)), wanted: Arc::default() }
    }

    /// The process has applied this revision.
    pub(crate) fn set(&self, revision: i64) {
        self.revision.send_replace(revision);
    }

    pub(crate) fn revision(&self) -> i64 {
        *self.revision.borrow()
    }

    /// Has this revision applied at once, and waits until it is; if that takes long, it happens later.
    pub(crate) async fn reach(&self, revision: i64) {
        self.wanted.notify_one();
        let mut applied = self.revision.subscribe();
        // The sender is here.
        let _ = timeout(APPLY_MAX, applied.wait_for(|applied| *applied >= revision)).await;
    }

    /// Waits until somebody wants a revision applied.
    pub(super) async fn wanted(&self) {
        self.wanted.notified().await;
    }
}
