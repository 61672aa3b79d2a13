//! An event, and what became of it.

use deskbell_admin::{AdminError, EventDetails, Payload};
use deskbell_config::ONE_TIME_CODES;
use deskbell_store::{Store, StoreError, StoredEvent};

use crate::config::Config;
use crate::outcomes::Outcomes;
use crate::unavailable::unavailable;
use crate::{search, views};

/// The events with this message id, one a source: of the named source, or of all.
pub(crate) async fn find(
    config: &Config,
    store: &dyn Store,
    source: Option<&str>,
    id: &str,
) -> Result<Vec<StoredEvent>, StoreError> {
    let mut events = Vec::new();
    for source in search::sources(config, source) {
        events.extend(store.find(source, id).await?);
    }
    Ok(events)
}

/// The event with its payload, and what became of it at each destination.
pub(crate) async fn details(
    config: &Config,
    store: &dyn Store,
    event: StoredEvent,
) -> Result<EventDetails, AdminError> {
    let mut outcomes = Outcomes::open(config, store).await.map_err(unavailable)?;
    let found = outcomes.of(&event).await;
    outcomes.close().await;
    let (found, head) = (found.map_err(unavailable)?, views::head_of(&event));
    let deliveries = store.deliveries_of(event.seq).await.map_err(unavailable)?;
    let filtered_out = store.filtered_out(event.seq).await.map_err(unavailable)?;
    let payload_erased = is_erased(&event, store).await.map_err(unavailable)?;
    let payload_pruned = event.is_pruned();
    let deliveries = deliveries.into_iter().map(|one| views::delivery(&head, one));
    let mut events = vec![views::summary(head.clone())];
    search::count_deliveries(store, &mut events).await.map_err(unavailable)?;
    Ok(EventDetails {
        destinations: found.into_iter().map(|one| views::outcome(&head, one)).collect(),
        deliveries: deliveries.collect(),
        unwanted: filtered_out.into_iter().map(views::unwanted).collect(),
        payload_pruned,
        payload_erased,
        payload: (!payload_pruned).then(|| Payload::new(event.event.payload.to_bytes())),
        event: events.remove(0),
    })
}

/// One-time codes are pruned before all else: of those it is not known.
async fn is_erased(event: &StoredEvent, store: &dyn Store) -> Result<bool, StoreError> {
    let may_be = event.is_pruned() && !ONE_TIME_CODES.contains(&&*event.event_type);
    Ok(may_be && event.seq > store.payloads_pruned_to().await?)
}
