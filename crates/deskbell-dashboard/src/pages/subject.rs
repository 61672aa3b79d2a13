//! Everything that is known of a subject: its events, beside its rows and where each value came from.

use axum::Extension;
use axum::extract::{Path, State};
use deskbell_admin::{
    Caller, ExplainedEvent, ExplainedRow, ExplainedValue, Explanation, ValueFrom,
};
use maud::{Markup, html};

use crate::badge;
use crate::dashboard::Dashboard;
use crate::form;
use crate::layout::{self, Html, Section};
use crate::link;
use crate::number;
use crate::params::Query;
use crate::payload;
use crate::reply::Failure;
use crate::table::empty;
use crate::time;

/// Events that are shown at first, and each time that more are asked for.
const EVENTS: u32 = 50;
/// Older ones are in the list of events.
const EVENTS_MAX: u32 = 500;

pub(crate) async fn page(
    State(dashboard): State<Dashboard>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Query(params): Query,
) -> Result<Html, Failure> {
    let events_max = params.number("events").unwrap_or(EVENTS).clamp(1, EVENTS_MAX);
    let explanation = dashboard.admin.explain(&id, events_max).await?.for_caller(&caller);
    let subject = explanation.subject.as_deref().unwrap_or(&id);
    let about = html! {
        "Everything that happened to it, beside its rows as they are now"
    };
    let in_events = link::with_query("/dashboard/events", [("subject", subject)]);
    let actions = html! {
        (form::copy(subject, "the id"))
        a.button href=(in_events) { "Search its events" }
    };
    let content = html! {
        (layout::crumbs(&[("Events", "/dashboard/events")]))
        (layout::head(&html! { code { (subject) } }, &about, &actions))
        div.columns {
            section.card aria-label="Rows" {
                h2 { "Rows now" }
                (rows(&explanation, &caller))
            }
            section.card aria-label="Events" {
                h2 { "Events, the newest first" }
                (timeline(&explanation, subject, events_max))
            }
        }
    };
    Ok(layout::page(&caller, Section::Events, subject, &content))
}

fn rows(explanation: &Explanation, caller: &Caller) -> Markup {
    html! {
        @if !caller.sees_payloads() && !explanation.rows.is_empty() {
            p.muted { "Personal data is masked. A token of the role reader shows it." }
        }
        @for row in &explanation.rows { (table(row, explanation)) }
        @for unread in &explanation.unread {
            p.notice.warn { strong { (unread.destination) } " could not be read: " (unread.error) }
        }
        @if explanation.rows.is_empty() && explanation.unread.is_empty() {
            (empty("No mirror has a row of it.", &html! {
                "It was deleted, it is not mirrored, or its event was not applied yet: the events say which."
            }))
        } @else {
            @for mirror in &explanation.without_row {
                p { a href=(link::mirror(mirror)) { (mirror) } " has no row of it." }
            }
        }
    }
}

fn table(row: &ExplainedRow, explanation: &Explanation) -> Markup {
    html! {
        h3 { a href=(link::mirror(&row.destination)) { (row.destination) } " " code { (row.table) } }
        div.scroll tabindex="0" role="region" aria-label={ "Row of " (row.table) } {
            table.row {
                thead { tr {
                    th scope="col" { "Column" } th scope="col" { "Value" } th scope="col" { "From" }
                } }
                tbody {
                    @for (name, value) in &row.columns {
                        tr {
                            th scope="row" { (name) }
                            td.json { (payload::value(&value.value)) }
                            td { (origin(value, explanation)) }
                        }
                    }
                }
            }
        }
    }
}

/// The event that a value came from, as a link where it is among those that are shown.
fn origin(value: &ExplainedValue, explanation: &Explanation) -> Markup {
    let event = value
        .message_id
        .as_ref()
        .and_then(|id| explanation.events.iter().find(|event| event.message_id == *id));
    html! {
        @match (event, value.from) {
            (Some(event), _) => {
                a href=(link::event(&event.source, &event.message_id)) title=(event.message_id) { (event.event_type) }
            }
            (None, ValueFrom::Api) => { "Clerk's API" }
            (None, ValueFrom::Event) => {
                @if let Some(id) = &value.message_id { code.muted { (id) } } @else { "an older event" }
            }
            (None, ValueFrom::Unknown) => { span.muted { "unknown" } }
        }
    }
}

fn timeline(explanation: &Explanation, subject: &str, shown: u32) -> Markup {
    let more = shown.saturating_add(EVENTS).min(EVENTS_MAX).to_string();
    html! {
        @if explanation.events.is_empty() {
            (empty("No events of it are in the log.", &html! {
                "They were pruned, or its row was filled from Clerk's API."
            }))
        }
        ol.timeline { @for event in &explanation.events { (event_item(event)) } }
        @if explanation.has_more {
            @if shown < EVENTS_MAX {
                a.button href=(link::with_query(&link::subject(subject), [("events", more.as_str())])) { "Older events" }
            } @else {
                p.muted { "The newest " (number::count(EVENTS_MAX.into())) " events. "
                    a href=(link::with_query("/dashboard/events", [("subject", subject)])) { "Search all of them" } "." }
            }
        }
    }
}

fn event_item(event: &ExplainedEvent) -> Markup {
    html! {
        li {
            div.title {
                a.strong href=(link::event(&event.source, &event.message_id)) { (event.event_type) }
                span.when { (time::moment(event.received_at)) }
            }
            ul.parts {
                @for outcome in &event.destinations {
                    li {
                        span { (outcome.name) } (badge::outcome(&outcome.outcome))
                        @if let Some(reason) = &outcome.reason { span.muted { (reason) } }
                    }
                }
            }
        }
    }
}
