//! The list of events: what a search finds, page by page, or the newest as they come.

use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use deskbell_admin::{Caller, EventPage};
use http::StatusCode;
use maud::{Markup, html};

use super::filters;
use super::rows::{COLUMNS, row};
use crate::dashboard::{Dashboard, may_change};
use crate::filter::{Filter, PAGE_EVENTS, PATH, WrongFilter};
use crate::layout::{self, Section};
use crate::notice;
use crate::number;
use crate::params::{Params, Query};
use crate::reply::Reply;
use crate::table::{empty, head};
use crate::time;

pub(crate) async fn page(
    State(dashboard): State<Dashboard>,
    Extension(caller): Extension<Caller>,
    Query(params): Query,
) -> Reply {
    let filter = match Filter::read(&params, &caller) {
        Ok(filter) => filter,
        Err(wrong) => return Ok(refused(&params, &caller, &wrong)),
    };
    let before = params.number("before");
    // Read before the search: a row that comes meanwhile is in both, and is shown once by its id.
    let head = dashboard.admin.head().borrow().get();
    let found = dashboard.admin.search(&filter.query(time::now(), before, PAGE_EVENTS)).await?;
    let live = params.one("live").is_some() && before.is_none() && filter.can_be_followed();
    let newest = found.events.first().map_or(head, |event| event.seq.max(head));
    let content = html! {
        (layout::head(&html! { "Events" }, &about(&found, before), &actions(&filter, &caller, &found, live)))
        (notice::of(&params))
        (filters::form(&params, &caller))
        (filters::chips(&filter))
        @if live { (waiting()) }
        @if found.events.is_empty() && !live { (nothing(&filter, &found)) } @else {
            (table(&filter, &found, live.then_some(newest)))
        }
        (further(&filter, &found))
    };
    Ok(layout::page(&caller, Section::Events, "Events", &content).into_response())
}

/// The form with what was typed, and what is wrong with it; no events.
fn refused(params: &Params, caller: &Caller, wrong: &WrongFilter) -> Response {
    let content = html! {
        (layout::head(&html! { "Events" }, &html! { "Nothing was searched" }, &html! {}))
        div.notice.bad role="alert" { (wrong.0) }
        (filters::form(params, caller))
    };
    let page = layout::page(caller, Section::Events, "Events", &content);
    (StatusCode::BAD_REQUEST, page).into_response()
}

fn about(found: &EventPage, before: Option<i64>) -> Markup {
    let shown = found.events.len() as u64;
    html! {
        @match (shown, found.next, before) {
            (0, ..) => { "No event" }
            (_, None, None) => { (number::counted(shown, "event")) }
            (_, Some(_), None) => { "The newest " (number::counted(shown, "event")) }
            (_, _, Some(_)) => { (number::counted(shown, "older event")) }
        }
        @if found.searched.events > shown {
            " found among " (number::counted(found.searched.events, "event"))
        }
        @if let Some(back_to) = found.searched.back_to { ", back to " (time::moment(back_to)) }
    }
}

fn actions(filter: &Filter, caller: &Caller, found: &EventPage, live: bool) -> Markup {
    html! {
        @if live {
            a.button href=(filter.url(PATH, &[])) { "Stop the live tail" }
        } @else if filter.can_be_followed() {
            a.button href=(filter.url(PATH, &[("live", "1")])) { "Live tail" }
        }
        @if may_change(caller) && !filter.is_empty() && !found.events.is_empty() {
            a.button href=(filter.url("/dashboard/events/replay", &[])) { "Replay all that match…" }
        }
    }
}

fn waiting() -> Markup {
    html! {
        p.live-note.lost.js-only role="status" data-live="Live: new events appear on top."
            data-lost="Not connected; trying again. Newer events may be missing." {
            span.pulse aria-hidden="true" {} span { "Connecting…" }
        }
        noscript { p.notice.warn { "The live tail needs JavaScript. Reload the page to see newer events." } }
    }
}

/// The table; with `after`, it grows by the events after that one.
fn table(filter: &Filter, found: &EventPage, after: Option<i64>) -> Markup {
    let tail =
        after.map(|after| filter.url("/dashboard/events/tail", &[("after", &after.to_string())]));
    html! {
        div.card.flush {
            table.cards.events aria-label="Events" {
                (head(COLUMNS))
                tbody sse-connect=[tail.as_deref()] sse-swap=[tail.is_some().then_some("event")]
                    hx-swap=[tail.is_some().then_some("afterbegin")] {
                    @for event in &found.events { (row(event, filter)) }
                }
            }
        }
    }
}

fn nothing(filter: &Filter, found: &EventPage) -> Markup {
    html! {
        @if found.next.is_some() {
            (empty("Nothing found so far.", &html! { "Older events were not searched yet: go on below, or choose a shorter time above." }))
        } @else if filter.is_empty() {
            (empty("No events yet.", &html! {
                a.button href="/dashboard/setup" { "Open the set-up guide" }
            }))
        } @else {
            (empty("No event matches.", &html! {
                "Remove a filter above, or " a href=(PATH) { "show all events" } "."
            }))
        }
    }
}

/// The way on: a full page has more behind it, and a search that stopped can go on.
fn further(filter: &Filter, found: &EventPage) -> Markup {
    html! {
        @if let Some(next) = found.next {
            div.further {
                a.button href=(filter.url(PATH, &[("before", &next.to_string())])) {
                    @if found.searched.stopped { "Search further back" } @else { "Older events" }
                }
                @if found.searched.stopped {
                    span.muted {
                        "Looked at " (number::counted(found.searched.events, "event"))
                        @if let Some(back_to) = found.searched.back_to { ", back to " (time::moment(back_to)) }
                        "."
                    }
                }
            }
        }
    }
}
