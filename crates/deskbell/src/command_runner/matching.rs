//! Replaying every event that a search finds, page by page.

use deskbell_admin::EventQuery;
use deskbell_delivery::{ReplayError, Replayed, Replayer};
use deskbell_store::{ReadLimit, Seq, Store, StoreError, StoredEvent};
use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::search::{self, Budget, EVENTS_MAX};

/// What is replayed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MatchingReplay {
    pub(crate) query: EventQuery,
    /// To this destination only, whatever its filter.
    pub(crate) destination: Option<String>,
    /// At most this many deliveries.
    pub(crate) limit: Option<u64>,
    /// The last event of the log when it was asked for: what comes later is not replayed.
    pub(crate) up_to: i64,
}

/// How far a replay is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Progress {
    /// Deliveries that are pending again, or would be.
    pub(crate) deliveries: u64,
    /// Events that were found.
    pub(crate) events: u64,
    /// It goes on before this event; `None` where it has not begun, or has come to the first one.
    pub(crate) before: Option<i64>,
    /// Whether nothing is left to replay.
    #[serde(default)]
    pub(crate) done: bool,
}

impl Progress {
    pub(crate) fn read(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_default()
    }
}

/// One page of a replay.
pub(super) async fn page(
    config: &Config,
    store: &dyn Store,
    replayer: &Replayer,
    replay: &MatchingReplay,
    progress: &mut Progress,
    dry_run: bool,
) -> Result<(), ReplayError> {
    let before = progress.before.unwrap_or(replay.up_to + 1);
    let query = EventQuery { before: Some(before), limit: EVENTS_MAX, ..replay.query.clone() };
    let found = search::search(config, store, &query, Budget::of(&query)).await?;
    let events = read(store, found.events.iter().map(|event| event.seq)).await?;
    let left = replay.limit.map(|limit| limit.saturating_sub(progress.deliveries));
    let destination = replay.destination.as_deref();
    let replayed = replayer.replay_events(&events, destination, left, dry_run).await;
    let Replayed { deliveries } = replayed?;
    progress.deliveries += deliveries;
    progress.events += events.len() as u64;
    progress.before = found.next;
    let is_full = replay.limit.is_some_and(|limit| progress.deliveries >= limit);
    progress.done = is_full || found.next.is_none();
    Ok(())
}

/// The events with their payloads, without those that were pruned.
async fn read(
    store: &dyn Store,
    seqs: impl Iterator<Item = i64>,
) -> Result<Vec<StoredEvent>, StoreError> {
    let mut events = Vec::new();
    for seq in seqs {
        let limit = ReadLimit { events_max: 1, ..ReadLimit::default() };
        let found = store.read(Seq::new(seq - 1), limit).await?;
        events.extend(found.into_iter().filter(|event| event.seq.get() == seq));
    }
    events.retain(|event| !event.is_pruned());
    Ok(events)
}
