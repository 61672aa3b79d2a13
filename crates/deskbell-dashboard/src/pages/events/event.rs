//! One event: its payload, how it was verified, and what became of it; beside the list that it is in.

use axum::Extension;
use axum::extract::{Path, State};
use deskbell_admin::{Caller, EventDetails, EventPage};
use http::HeaderMap;
use maud::{Markup, html};

use super::{actions, destinations, rows};
use crate::badge;
use crate::dashboard::Dashboard;
use crate::filter::{Filter, PAGE_EVENTS, PATH};
use crate::form;
use crate::layout::{self, Html, Section};
use crate::link;
use crate::notice;
use crate::number;
use crate::params::Query;
use crate::payload;
use crate::reply::Failure;
use crate::table::facts;
use crate::time;

pub(crate) async fn page(
    State(dashboard): State<Dashboard>,
    Extension(caller): Extension<Caller>,
    Path((source, id)): Path<(String, String)>,
    Query(params): Query,
    headers: HeaderMap,
) -> Result<Html, Failure> {
    let filter = Filter::read(&params, &caller)?;
    let details = dashboard.admin.event(Some(&source), &id).await?.for_caller(&caller);
    let seq = details.event.seq;
    let found = match is_swapped_in(&headers) {
        true => None,
        false => Some(neighbours(&dashboard, &filter, seq).await?),
    };
    let content = html! {
        div.split {
            @if let Some(found) = &found { (rows::beside(found, seq, &filter)) }
            article id="event" {
                (layout::crumbs(&[("Events", &filter.url(PATH, &[]))]))
                (notice::of(&params))
                (head(&details, &caller))
                (destinations::section(&details, &caller))
                (payload_section(&details, &caller))
                (verification(&details))
            }
        }
    };
    Ok(layout::page(&caller, Section::Events, &details.event.event_type, &content))
}

/// Whether the page that asks has the list already, and takes the event alone.
fn is_swapped_in(headers: &HeaderMap) -> bool {
    headers.get("hx-target").is_some_and(|target| target == "event")
}

/// From this event on: one far back in the log has its neighbours beside it.
async fn neighbours(
    dashboard: &Dashboard,
    filter: &Filter,
    seq: i64,
) -> Result<EventPage, Failure> {
    let query = filter.query(time::now(), seq.checked_add(1), PAGE_EVENTS);
    Ok(dashboard.admin.search(&query).await?)
}

fn head(details: &EventDetails, caller: &Caller) -> Markup {
    let event = &details.event;
    let about = html! {
        code { (event.message_id) } (form::copy(&event.message_id, "the event's id"))
        @if let Some(subject) = &event.subject {
            " about " a href=(link::subject(subject)) { code { (subject) } }
        }
        " · " (time::moment(event.received_at))
    };
    layout::head(&html! { (event.event_type) }, &about, &actions::replay_form(details, caller))
}

fn payload_section(details: &EventDetails, caller: &Caller) -> Markup {
    let address = link::event(&details.event.source, &details.event.message_id);
    let raw = format!("{address}/payload");
    let has_bytes = details.payload.as_ref().is_some_and(|payload| payload.bytes.is_some());
    html! {
        section.card {
            div.title {
                h2 { "Payload" }
                @if has_bytes {
                    (form::copy_from(&raw, "Copy"))
                    (form::copy_from(&format!("{address}/curl"), "Copy as curl"))
                    a.button href=(raw) { "Raw" }
                }
            }
            @if details.payload_erased {
                p.muted { "Erased, since the user it was about was deleted." }
            } @else if details.payload_pruned {
                p.muted { "Pruned: " code { "retention.payloads" } " in the config says how long payloads are kept." }
            } @else if let Some(payload) = &details.payload {
                @if !caller.sees_payloads() {
                    p.muted { "Personal data is masked. A token of the role reader shows it." }
                }
                (payload::tree(&payload.json))
            }
        }
    }
}

fn verification(details: &EventDetails) -> Markup {
    let event = &details.event;
    html! {
        section.card {
            h2 { "Headers and verification" }
            (facts(&[
                ("svix-id", html! { code { (event.message_id) } }),
                ("Verified by", html! { (badge::words(&event.verified_by)) }),
                ("Came by", html! { (badge::words(&event.origin)) }),
                ("Source", html! { (event.source) }),
                ("Clerk instance", html! {
                    @if let Some(instance) = &event.instance_id { code { (instance) } } @else { "not named" }
                }),
                ("Occurred", time::moment(event.occurred_at)),
                ("Received", time::moment(event.received_at)),
                ("Number in the log", html! { (number::count(event.seq.unsigned_abs())) }),
                ("Size", html! { (number::bytes(event.payload_bytes)) }),
            ]))
        }
    }
}
