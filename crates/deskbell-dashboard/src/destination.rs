//! What several pages show of a destination.

use deskbell_admin::DestinationView;
use maud::{Markup, html};

use crate::badge;
use crate::form;
use crate::layout;
use crate::link;
use crate::number;
use crate::reply::sentence;
use crate::switched_off::{is_stopped, is_switched_off};
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

/// An event by its number in the log.
pub(crate) fn event_number(seq: Option<i64>) -> Markup {
    html! {
        @if let Some(seq) = seq { "number " (number::count(seq.unsigned_abs())) } @else { "–" }
    }
}

pub(crate) fn newest(destination: &DestinationView) -> Markup {
    html! { "the newest of the log is " (event_number(Some(destination.head))) }
}

/// Where its settings are.
pub(crate) fn declared_in(destination: &DestinationView) -> &'static str {
    match (&destination.destination_type, destination.read_only) {
        (_, false) => "added in the dashboard or through the API",
        (Some(_), true) => "declared in the config file",
        (None, true) => "not in the config: a function of the program, or removed",
    }
}

/// `http`, `email`; a function has no type.
pub(crate) fn kind(destination: &DestinationView) -> &str {
    destination.destination_type.as_deref().unwrap_or("function")
}

/// The top of its page and of its mirror's: what it is, and how it is.
pub(crate) fn top(
    destination: &DestinationView,
    about: &Markup,
    actions: &Markup,
    notice: &Markup,
) -> Markup {
    let title = html! { (destination.name) (badge::destination_state(destination)) };
    html! {
        (layout::crumbs(&[("Destinations", link::DESTINATIONS)]))
        (layout::head(&title, about, actions))
        (notice)
        (trouble(destination))
    }
}

/// What is wrong with it, in a sentence; nothing where all is well.
fn trouble(destination: &DestinationView) -> Markup {
    html! {
        @if !destination.state.is_well() && !is_switched_off(destination) {
            div.notice.(badge::destination_tone(destination.state).class()) {
                span { (sentence(&destination.summary)) }
            }
        }
    }
}

/// The button that stops it, or has it go on. One that its settings disable has none.
pub(crate) fn pause_or_resume(destination: &DestinationView) -> Markup {
    let path = link::destination(&destination.name);
    html! {
        @if is_stopped(destination) { (form::button(&format!("{path}/resume"), "Resume", &[])) }
        @else if !is_switched_off(destination) { (form::button(&format!("{path}/pause"), "Pause", &[])) }
    }
}
