//! Events in a list: as rows of a table, and as a narrow list beside the one that is open.

use deskbell_admin::{EventPage, EventSummary};
use maud::{Markup, html};

use crate::badge;
use crate::filter::Filter;
use crate::link;
use crate::table::Column::{self, Number, Text};
use crate::time;

/// An event's row. The whole of it is a link.
pub(super) fn row(event: &EventSummary, filter: &Filter) -> Markup {
    html! {
        tr.link id={ "e" (event.seq) } {
            td data-label="Type" { a.cover href=(address(event, filter)) { (event.event_type) } }
            td data-label="Subject" {
                @if let Some(subject) = &event.subject { code { (subject) } } @else { "–" }
            }
            td data-label="Event" { code.muted { (event.message_id) } }
            td data-label="Source" { (event.source) }
            td data-label="Deliveries" { (deliveries(event)) }
            td.number data-label="Received" { (time::moment(event.received_at)) }
        }
    }
}

pub(super) const COLUMNS: &[Column] = &[
    Text("Type"),
    Text("Subject"),
    Text("Event"),
    Text("Source"),
    Text("Deliveries"),
    Number("Received"),
];

fn deliveries(event: &EventSummary) -> Markup {
    html! {
        @match &event.delivery_counts {
            Some(counts) => { (badge::deliveries(counts)) }
            None => { span.muted { "–" } }
        }
    }
}

/// The events that a filter finds, with one of them open.
pub(super) fn beside(page: &EventPage, open: i64, filter: &Filter) -> Markup {
    html! {
        nav.beside aria-label="Events found" {
            ul {
                @for event in &page.events {
                    li {
                        a href=(address(event, filter)) aria-current=[(event.seq == open).then_some("true")]
                            hx-get=(address(event, filter)) hx-target="#event" hx-select="#event"
                            hx-swap="outerHTML show:none" hx-push-url="true" {
                            span.strong { (event.event_type) }
                            (failed(event))
                            code.muted { (event.subject.as_deref().unwrap_or(&event.message_id)) }
                            (time::moment(event.received_at))
                        }
                    }
                }
            }
            @if let Some(next) = page.next {
                a.more href=(filter.url(crate::filter::PATH, &[("before", &next.to_string())])) { "Older events" }
            }
        }
    }
}

fn failed(event: &EventSummary) -> Markup {
    html! {
        @if let Some(counts) = event.delivery_counts.as_ref().filter(|counts| counts.dead_lettered + counts.pending > 0) {
            (badge::deliveries(counts))
        }
    }
}

fn address(event: &EventSummary, filter: &Filter) -> String {
    filter.url(&link::event(&event.source, &event.message_id), &[])
}
