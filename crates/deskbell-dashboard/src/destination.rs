//! What several pages show of a destination.

use deskbell_admin::DestinationView;
use maud::{Markup, html};

use crate::link;
use crate::number;
use crate::time;

pub(crate) fn is_database(destination: &DestinationView) -> bool {
    destination.destination_type.as_deref() == Some("database")
}

/// A database's page is its mirror's.
pub(crate) fn address(destination: &DestinationView) -> String {
    if is_database(destination) {
        link::mirror(&destination.name)
    } else {
        link::destination(&destination.name)
    }
}

/// How far a mirror is behind, or how many deliveries are pending.
pub(crate) fn backlog(destination: &DestinationView) -> Markup {
    let (count, noun) = match (destination.lag_events, destination.pending) {
        (Some(events), _) => (events, if events == 1 { "event" } else { "events" }),
        (None, Some(pending)) => (pending, "pending"),
        (None, None) => return html! { "–" },
    };
    let seconds = destination.lag_seconds.filter(|_| destination.lag_events.is_some());
    html! {
        @if count == 0 { span.muted { "none" } } @else {
            span.nowrap {
                (number::count(count)) " " (noun)
                @if let Some(seconds) = seconds { ", " (time::span_of_seconds(seconds)) }
            }
        }
    }
}

/// `http`, `email`; a function has no type.
pub(crate) fn kind(destination: &DestinationView) -> &str {
    destination.destination_type.as_deref().unwrap_or("function")
}
