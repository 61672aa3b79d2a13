//! What became of an event at each destination, with every attempt.

use deskbell_admin::{Caller, DestinationOutcome, EventDetails, OutcomePart};
use maud::{Markup, html};

use crate::attempt;
use crate::badge;
use crate::dashboard::may_change;
use crate::form;
use crate::link;
use crate::table::empty;
use crate::time;

pub(super) fn section(details: &EventDetails, caller: &Caller) -> Markup {
    html! {
        section.card {
            h2 { "Destinations" }
            @for outcome in &details.destinations { (story(outcome, details, caller)) }
            @for unwanted in &details.unwanted {
                @if details.destinations.iter().all(|one| one.name != unwanted.destination) {
                    div.story {
                        h3 { (destination_link(&unwanted.destination)) (badge::outcome("filtered")) }
                        p.muted { (unwanted.reason) }
                    }
                }
            }
            @if details.destinations.is_empty() && details.unwanted.is_empty() {
                (empty("Nothing was sent or applied yet.", &html! {
                    "Reload this page in a moment, or look at the "
                    a href="/dashboard/destinations" { "state of the destinations" } "."
                }))
            }
        }
    }
}

fn story(outcome: &DestinationOutcome, details: &EventDetails, caller: &Caller) -> Markup {
    let is_delivered_to = details.deliveries.iter().any(|one| one.destination == outcome.name);
    html! {
        div.story {
            h3 {
                (destination_link(&outcome.name)) (badge::outcome(&outcome.outcome))
                span.when { (time::maybe(outcome.at)) }
                @if is_delivered_to && may_change(caller) && !details.payload_pruned {
                    (again(outcome, details))
                }
            }
            @if let Some(reason) = &outcome.reason { p { (reason) } }
            @if !outcome.parts.is_empty() { (parts(&outcome.parts)) }
            @for attempt in &outcome.attempts { (attempt::details(attempt)) }
        }
    }
}

fn again(outcome: &DestinationOutcome, details: &EventDetails) -> Markup {
    let event = &details.event;
    let action = format!("{}/replay", link::event(&event.source, &event.message_id));
    form::button(&action, "Replay", &[("destination", &outcome.name)])
}

fn destination_link(name: &str) -> Markup {
    html! { a href=(link::destination(name)) { (name) } }
}

fn parts(parts: &[OutcomePart]) -> Markup {
    html! {
        ul.parts {
            @for part in parts {
                li {
                    code { (part.part) } (badge::outcome(&part.outcome))
                    @if let Some(reason) = &part.reason { span.muted { (reason) } }
                }
            }
        }
    }
}
