//! Appending events that nobody waits for, beside requests that somebody does.

use deskbell_store::{Appended, EventLog, NewEvent, StoreError};

/// Events in one transaction: requests that are acknowledged meanwhile wait for it.
const APPENDED_AT_ONCE: usize = 50;

/// Appends the events, a few at a time; what became of each.
pub(crate) async fn append_in_parts<L: EventLog + ?Sized>(
    log: &L,
    events: &[NewEvent],
) -> Result<Vec<Appended>, StoreError> {
    let mut appended = Vec::with_capacity(events.len());
    for part in events.chunks(APPENDED_AT_ONCE) {
        appended.extend(log.append(part).await?);
    }
    Ok(appended)
}
