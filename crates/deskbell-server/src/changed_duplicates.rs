//! Duplicates with another body than the event that is in the log: the sender uses an id twice.
//!
//! They are looked for behind the reply, so that nobody waits for it.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use deskbell_store::{EventLog, Origin};
use metrics::{Counter, Unit, counter, describe_counter};
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

use crate::once_a_minute::OnceAMinute;

/// Duplicates that are being compared at once; of those that come meanwhile nothing is known.
const COMPARING_MAX: usize = 16;

/// Duplicates whose body is another one than the event's, by `source`.
const CHANGED: &str = "deskbell_ingest_changed_duplicates_total";

/// Compares the duplicates of one source with what is in the log.
#[derive(Clone)]
pub(crate) struct ChangedDuplicates {
    source: Arc<str>,
    store: Arc<dyn EventLog>,
    comparing: Arc<Semaphore>,
    tasks: TaskTracker,
    hasher: RandomState,
    changed: Counter,
    warned: Arc<OnceAMinute>,
}

/// What is kept of a body until it is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Digest {
    bytes: usize,
    hash: u64,
}

impl ChangedDuplicates {
    pub(crate) fn new(source: &Arc<str>, store: Arc<dyn EventLog>) -> Self {
        describe_counter!(
            CHANGED,
            Unit::Count,
            "Duplicates whose body differs from the stored event's, by source"
        );
        Self {
            source: Arc::clone(source),
            store,
            comparing: Arc::new(Semaphore::new(COMPARING_MAX)),
            tasks: TaskTracker::new(),
            hasher: RandomState::new(),
            changed: counter!(CHANGED, "source" => source.to_string()),
            warned: Arc::new(OnceAMinute::new()),
        }
    }

    /// Compares this duplicate, later.
    pub(crate) fn compare(&self, message_id: String, body: &[u8]) {
        let Ok(permit) = Arc::clone(&self.comparing).try_acquire_owned() else { return };
        let (this, digest) = (self.clone(), self.digest(body));
        self.tasks.spawn(async move {
            this.compare_now(&message_id, digest).await;
            drop(permit);
        });
    }

    async fn compare_now(&self, message_id: &str, digest: Digest) {
        // Where the log cannot be read, others say so.
        let Ok(Some(event)) = self.store.find(&self.source, message_id).await else { return };
        // What was read from the sender's record was serialized again.
        let is_signed = event.origin == Origin::Webhook;
        if event.is_pruned() || !is_signed || self.digest(&event.payload) == digest {
            return;
        }
        self.changed.increment(1);
        if let Some(times) = self.warned.count() {
            tracing::warn!(
                times,
                source = %self.source,
                message.id = message_id,
                event.seq = event.seq.get(),
                bytes = digest.bytes,
                bytes_before = event.payload.len(),
                "a message came again with another body, which was not stored; the first one counts"
            );
        }
    }

    fn digest(&self, body: &[u8]) -> Digest {
        Digest { bytes: body.len(), hash: self.hasher.hash_one(body) }
    }
}
