//! Which event types the config has a use for.

use std::collections::BTreeSet;

use clerk_webhooks::catalog;
use deskbell_config::{NOTICE_TYPE, ONE_TIME_CODES, takes_type};

use crate::config::{Config, DestinationConfig, DestinationKind};

/// The types that a destination of this source takes, of those that are known here or to the sender. Without any
/// destination, all but one-time codes: the event log keeps them.
pub(crate) fn used_types(config: &Config, source: &str, known: &[String]) -> Vec<String> {
    let candidates = candidates(config, known);
    let used: Vec<_> =
        candidates.iter().filter(|name| is_used(config, source, name)).cloned().collect();
    if used.is_empty() {
        return candidates.into_iter().filter(|name| !ONE_TIME_CODES.contains(&&**name)).collect();
    }
    used
}

/// Whether events of this type are fetched where the source is pulled: all, but one-time codes only where a destination
/// names them.
pub(crate) fn is_pulled(config: &Config, source: &str, event_type: &str) -> bool {
    !ONE_TIME_CODES.contains(&event_type) || is_used(config, source, event_type)
}

/// Whether an event of this type, sent again, has an effect that cannot be taken back: a delivery, or a statement.
pub(crate) fn has_side_effects(config: &Config, source: &str, event_type: &str) -> bool {
    destinations_of(config, source).any(|destination| match &destination.kind {
        DestinationKind::Database(database) => {
            database.statements.iter().any(|statement| takes_type(&statement.on, event_type))
        }
        _ => is_delivered(destination, event_type),
    })
}

/// Every type that is known here, to the sender, or by the config's own words.
fn candidates(config: &Config, known: &[String]) -> BTreeSet<String> {
    let ours = catalog::all().iter().map(|entry| entry.event_type.as_str().to_owned());
    let deliveries = config.destinations.iter().filter_map(|one| one.delivery.as_ref());
    let named = deliveries.flat_map(|delivery| delivery.events.iter().flatten());
    let named = named.filter(|name| !name.ends_with('*') && *name != NOTICE_TYPE);
    ours.chain(known.iter().cloned()).chain(named.cloned()).collect()
}

fn is_used(config: &Config, source: &str, event_type: &str) -> bool {
    let erases = config.store.erase_on_delete && event_type == "user.deleted";
    erases
        || destinations_of(config, source).any(|destination| match &destination.kind {
            DestinationKind::Database(database) => database.takes_type(event_type),
            _ => is_delivered(destination, event_type),
        })
}

fn destinations_of<'a>(
    config: &'a Config,
    source: &'a str,
) -> impl Iterator<Item = &'a DestinationConfig> {
    config.destinations.iter().filter(move |destination| {
        let is_of_source = |names: &Vec<String>| names.iter().any(|name| name == source);
        destination.enabled && destination.sources.as_ref().is_none_or(is_of_source)
    })
}

fn is_delivered(destination: &DestinationConfig, event_type: &str) -> bool {
    let events = destination.delivery.as_ref().map(|delivery| &delivery.events);
    match events {
        Some(Some(events)) => takes_type(events, event_type),
        Some(None) => !ONE_TIME_CODES.contains(&event_type),
        None => false,
    }
}
