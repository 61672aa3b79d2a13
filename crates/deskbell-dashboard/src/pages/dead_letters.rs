//! Dead letters: by cause, or those of one cause.

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use deskbell_admin::{
    Caller, DeadLetterCause, DeadLetterQuery, DeadLetterView, DestinationView, RetryRequest,
};
use maud::{Markup, html};

use crate::badge;
use crate::dashboard::{Dashboard, may_change};
use crate::form;
use crate::layout::{self, Html, Section};
use crate::link;
use crate::notice::{self, Notice};
use crate::number;
use crate::params::{Form, Params, Query};
use crate::reply::{Failure, see, sentence};
use crate::table::empty;
use crate::time;

const PATH: &str = "/dashboard/dead-letters";
const RETRY: &str = "/dashboard/dead-letters/retry";
/// Of one cause, so many are listed.
const LISTED: u32 = 100;

pub(crate) async fn page(
    State(dashboard): State<Dashboard>,
    Extension(caller): Extension<Caller>,
    Query(params): Query,
) -> Result<Html, Failure> {
    let is_filtered = ["destination", "id", "cause"].iter().any(|name| params.one(name).is_some());
    let content = if is_filtered {
        listed(&dashboard, &caller, &params).await?
    } else {
        by_cause(&dashboard, &caller, &params).await?
    };
    Ok(layout::page(&caller, Section::DeadLetters, "Dead letters", &content))
}

async fn by_cause(
    dashboard: &Dashboard,
    caller: &Caller,
    params: &Params,
) -> Result<Markup, Failure> {
    let causes = dashboard.admin.dead_letter_causes().await?.into_iter();
    let causes: Vec<_> = causes.map(|cause| cause.for_caller(caller)).collect();
    let destinations = dashboard.admin.destinations().await?.into_iter();
    let destinations: Vec<_> = destinations.map(|one| one.for_caller(caller)).collect();
    let found = |name: &str| {
        let of_it = causes.iter().filter(|cause| cause.destination == name);
        of_it.map(|cause| cause.count).sum()
    };
    let is_unread =
        |name: &str| causes.iter().any(|cause| cause.destination == name && cause.count == 0);
    let partly = destinations.iter().map(|one| (one, found(&one.name)));
    let partly: Vec<_> = partly
        .filter(|(one, found)| *found < one.dead_lettered.unwrap_or(0) || is_unread(&one.name))
        .collect();
    let about = html! { "Deliveries that failed permanently, and rows that a database rejected" };
    Ok(html! {
        (layout::head(&html! { "Dead letters" }, &about, &retry_all(caller, &causes, partly.is_empty())))
        (notice::of(params))
        @for (destination, found) in &partly { (listed_partly(destination, *found)) }
        @if causes.is_empty() && partly.is_empty() {
            (empty("No dead letters.", &html! {
                "What fails permanently is kept here with the reason, until you retry it."
            }))
        }
        @for cause in causes.iter().filter(|cause| cause.count > 0) { (group(cause, caller)) }
    })
}

fn retry_all(caller: &Caller, causes: &[DeadLetterCause], is_whole: bool) -> Markup {
    let count = causes.iter().map(|cause| cause.count).sum();
    // Where not all are listed, their number is not known.
    let label = match is_whole {
        true => format!("Retry all {}", number::count(count)),
        false => "Retry all".to_owned(),
    };
    html! {
        @if may_change(caller) && count > 0 {
            (form::confirmed(RETRY, &label,
                "Each is tried again. What fails again comes back here.", &[("all", "1")]))
        }
    }
}

/// A destination that has more than were found, or could not be read.
fn listed_partly(destination: &DestinationView, found: u64) -> Markup {
    let dead = destination.dead_lettered.unwrap_or(0);
    html! {
        div.notice.warn {
            span {
                strong { (destination.name) } ": "
                @if dead > found {
                    (number::counted(dead, "dead letter")) ", of which " (number::count(found)) " are counted below. "
                } @else { "its dead letters could not be read. " }
                @if !destination.state.is_well() { (sentence(&destination.summary)) " " }
                a href=(link::dead_letters(&destination.name)) { "List them" }
            }
        }
    }
}

fn group(cause: &DeadLetterCause, caller: &Caller) -> Markup {
    // What is masked is nothing to look for.
    let key = cause.cause.as_deref().or(cause.reason.as_deref());
    let key = key.filter(|_| caller.sees_payloads());
    let mut pairs = vec![("destination", cause.destination.as_str())];
    pairs.extend(key.map(|key| ("cause", key)));
    let count = number::counted(cause.count, "dead letter");
    html! {
        section.card.cause {
            div.title {
                h2 { (count) " at " a href=(link::destination(&cause.destination)) { (cause.destination) } }
                a.button href=(link::with_query(PATH, pairs.iter().copied())) { "List" }
                @if may_change(caller) {
                    (form::button(RETRY, &format!("Retry {}", number::count(cause.count)), &pairs))
                }
            }
            p.reason { (cause.reason.as_deref().unwrap_or("The reason was not recorded.")) }
            p.muted {
                @if cause.part == "delivery" { "deliveries" } @else if cause.part.is_empty() { "rows of the mirror" } @else { (cause.part) }
                @if let Some(code) = cause.cause.as_ref().filter(|code| Some(*code) != cause.reason.as_ref()) {
                    " · " code { (code) }
                }
                @if let (Some(oldest), Some(newest)) = (cause.oldest, cause.newest) {
                    " · " (time::moment(oldest)) " to " (time::moment(newest))
                }
            }
            @if !cause.examples.is_empty() {
                p.muted { "For example "
                    @for (index, id) in cause.examples.iter().enumerate() {
                        @if index > 0 { ", " }
                        a href=(link::with_query("/dashboard/search", [("q", id.as_str())])) { code { (id) } }
                    }
                }
            }
        }
    }
}

async fn listed(
    dashboard: &Dashboard,
    caller: &Caller,
    params: &Params,
) -> Result<Markup, Failure> {
    let query = DeadLetterQuery {
        destination: params.owned("destination"),
        id: params.owned("id"),
        cause: params.owned("cause"),
        limit: LISTED,
    };
    let letters = dashboard.admin.dead_letters(&query).await?.into_iter();
    let letters: Vec<_> = letters.map(|letter| letter.for_caller(caller)).collect();
    let title = html! { "Dead letters" @if let Some(name) = &query.destination { " at " (name) } };
    let about = html! {
        @if letters.len() >= LISTED as usize { "The newest " }
        (number::counted(letters.len() as u64, "dead letter"))
        @if let Some(id) = &query.id { " of " code { (id) } }
        @if let Some(cause) = &query.cause { " with the cause " code { (cause) } }
    };
    Ok(html! {
        (layout::crumbs(&[("Dead letters", PATH)]))
        (layout::head(&title, &about, &html! {}))
        (notice::of(params))
        @if letters.is_empty() {
            (empty("No dead letter matches.", &html! { a href=(PATH) { "Show all dead letters" } }))
        }
        @for letter in &letters { (one(letter, caller)) }
    })
}

fn one(letter: &DeadLetterView, caller: &Caller) -> Markup {
    html! {
        section.card.cause {
            div.title {
                h2 {
                    a href=(link::event(&letter.source, &letter.message_id)) { (letter.event_type) }
                    (badge::dead_letter_state(letter.state))
                }
                @if may_change(caller) {
                    (form::button(RETRY, "Retry", &[("destination", &letter.destination), ("id", &letter.message_id)]))
                }
            }
            p.reason { (letter.reason.as_deref().unwrap_or("The reason was not recorded.")) }
            p.muted {
                (letter.title.as_deref().unwrap_or(&letter.part))
                @if !letter.id.is_empty() { " · " a href=(link::subject(&letter.id)) { code { (letter.id) } } }
                @for detail in [&letter.cause, &letter.constraint, &letter.table].into_iter().flatten() {
                    " · " code { (detail) }
                }
                @if let Some(attempts) = letter.attempts { " · " (number::counted(attempts.into(), "attempt")) }
                @if let Some(since) = letter.since { " · " (time::moment(since)) }
            }
        }
    }
}

/// Retries what the form names: all, one cause, or one.
pub(crate) async fn retry(
    State(dashboard): State<Dashboard>,
    Extension(caller): Extension<Caller>,
    Form(params): Form,
) -> Result<Response, Failure> {
    let request = RetryRequest {
        destination: params.owned("destination"),
        ids: params.all("id").map(str::to_owned).collect(),
        all: params.one("all").is_some(),
        cause: params.owned("cause"),
    };
    let retried = dashboard.admin.retry_dead_letters(&caller, &request).await?;
    Ok(see(&Notice::Retried.at(PATH, Some(retried.asked))))
}
