//! What was sent and what was acked, as the senders know it.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

/// Written by the senders, read by the receiver and the checks.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    entries: Mutex<Entries>,
}

#[derive(Debug, Default)]
struct Entries {
    sent: HashMap<String, Bytes>,
    acked: HashSet<String>,
}

impl Ledger {
    /// Before the first byte of it leaves.
    pub(crate) fn note_sent(&self, id: &str, body: &Bytes) {
        self.lock().sent.insert(id.to_owned(), body.clone());
    }

    pub(crate) fn note_acked(&self, ids: impl IntoIterator<Item = String>) {
        self.lock().acked.extend(ids);
    }

    /// The body of a message that was sent.
    pub(crate) fn sent(&self, id: &str) -> Option<Bytes> {
        self.lock().sent.get(id).cloned()
    }

    /// The messages that were acked.
    pub(crate) fn acked(&self) -> HashSet<String> {
        self.lock().acked.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
