//! What a backfill would cost.

use std::time::Duration;

use clerk_api::{Client, CountError, PAGE_SIZE_MAX, RateShare};
use deskbell_sync::{Fold, entity};

use crate::readings::{self, Readable, Reading};

/// What one entity would cost.
#[derive(Debug)]
pub struct Estimate {
    pub entity: &'static str,
    /// How many objects Clerk has, where a list says so, or why that is not known.
    pub objects: Result<u64, CountError>,
    /// The requests to read them; at most, where they are read one by one.
    pub requests: u64,
}

/// Counts what the mirrors that fold like this would be filled with; of these entities, or of all
/// where there are none.
pub async fn estimate(client: &Client, folds: &[Fold], entities: &[String]) -> Vec<Estimate> {
    let mut estimates = Vec::new();
    for readable in readings::all() {
        let entity = readable.entity;
        let is_named = entities.is_empty() || entities.iter().any(|name| name == entity.name);
        if !is_named || !folds.iter().any(|fold| fold.makes_rows_of(entity)) {
            continue;
        }
        estimates.push(estimate_of(client, readable).await);
    }
    estimates
}

/// Counts the objects that events of this type would be made of; `None` if it is of none that can be
/// read.
pub async fn estimate_emission(client: &Client, event_type: &str) -> Option<Estimate> {
    let (entity, _) = entity::change(event_type)?;
    let readable = readings::all().find(|readable| readable.entity == entity)?;
    Some(estimate_of(client, readable).await)
}

async fn estimate_of(client: &Client, readable: Readable) -> Estimate {
    let objects = client.count(&readable.reading.list().walk()).await;
    let count = objects.as_ref().copied().unwrap_or(0);
    let pages = count.div_ceil(u64::from(PAGE_SIZE_MAX)).max(1);
    let requests = match readable.reading {
        // A list that does not count its objects is counted first.
        Reading::List(list) => pages + u64::from(list.count_path.is_some()),
        Reading::Subscriptions | Reading::PaymentAttempts => pages + count,
    };
    Estimate { entity: readable.entity.name, objects, requests }
}

/// How long so many requests take at least.
#[must_use]
pub fn time_of(requests: u64, share: &RateShare) -> Duration {
    let windows = requests / u64::try_from(share.requests_max()).unwrap_or(u64::MAX).max(1);
    share.window().saturating_mul(u32::try_from(windows).unwrap_or(u32::MAX))
}

/// What the number of an entity's objects counts, where it has no list of its own.
#[must_use]
pub fn counted_as(entity: &str) -> Option<&'static str> {
    let readable = readings::all().find(|readable| readable.entity.name == entity)?;
    let has_none = !matches!(readable.reading, Reading::List(_));
    has_none.then(|| readable.reading.list().name)
}
