//! Replaying to one destination what failed or is missing: first how many, then the replay.

use axum::Extension;
use axum::extract::{Path, State};
use axum::response::Response;
use deskbell_admin::{Caller, ReplayRequest, ReplayStatus, Timestamp};
use maud::{Markup, html};

use crate::dashboard::Dashboard;
use crate::form;
use crate::layout::{self, Html, Section};
use crate::link;
use crate::number;
use crate::params::{Form, Params, Query};
use crate::replay;
use crate::reply::{Failure, see};
use crate::time;

const FAILED: &str = "failed";
const MISSING: &str = "missing";
const SPANS: [(&str, &str); 4] = [
    ("1h", "the last hour"),
    ("24h", "the last 24 hours"),
    ("7d", "the last 7 days"),
    ("30d", "the last 30 days"),
];
const SPAN: &str = "24h";

/// What is to be replayed, and since when.
struct Choice<'a> {
    kind: &'a str,
    span: &'a str,
    since: Timestamp,
}

/// What the form says; the failures of the last day where it was not sent yet.
fn choice(params: &Params) -> Result<Choice<'_>, Failure> {
    let span = params.one("span").unwrap_or(SPAN);
    let known = SPANS.iter().any(|(known, _)| *known == span);
    let ms = time::parse_span(span).filter(|_| known);
    let ms = ms.ok_or_else(|| Failure::BadRequest(format!("`span`: unknown span `{span}`")))?;
    Ok(Choice { kind: kind(params)?, span, since: time::before(time::now(), ms) })
}

/// The same, since exactly when it was counted.
fn counted(params: &Params) -> Result<Choice<'_>, Failure> {
    let since = params.required("since")?;
    let wrong = || Failure::BadRequest(format!("`since`: expected a time, found `{since}`"));
    Ok(Choice { since: since.parse().map_err(|_| wrong())?, ..choice(params)? })
}

fn kind(params: &Params) -> Result<&str, Failure> {
    match params.one("what").unwrap_or(FAILED) {
        kind @ (FAILED | MISSING) => Ok(kind),
        other => {
            Err(Failure::BadRequest(format!("`what`: expected failed or missing, found `{other}`")))
        }
    }
}

impl Choice<'_> {
    fn code(&self) -> String {
        format!("{} {}", self.kind, self.span)
    }

    fn request(&self, name: &str, dry_run: bool) -> ReplayRequest {
        let failed = self.kind == FAILED;
        ReplayRequest {
            dead_lettered_since: failed.then_some(self.since),
            missing_since: (!failed).then_some(self.since),
            destination: Some(name.to_owned()),
            dry_run,
            ..ReplayRequest::default()
        }
    }
}

pub(crate) async fn count(
    State(dashboard): State<Dashboard>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
    Query(params): Query,
) -> Result<Html, Failure> {
    let choice = choice(&params)?;
    let counted = dashboard.admin.replay(&caller, choice.request(&name, true)).await?;
    let since = choice.since.to_string();
    let about = html! { "Sends events of the log to this destination again" };
    let content = html! {
        (layout::crumbs(&[("Destinations", link::DESTINATIONS), (&name, &link::destination(&name))]))
        (layout::head(&html! { "Replay to " (name) }, &about, &html! {}))
        section.card {
            (replay::form(&path(&name), &[("since", &since)], &choices(&choice), &choice.code(), &outlook(&counted), &counted))
        }
    };
    Ok(layout::page(&caller, Section::Destinations, &format!("Replay to {name}"), &content))
}

fn path(name: &str) -> String {
    format!("{}/replay", link::destination(name))
}

fn choices(choice: &Choice<'_>) -> Markup {
    let kinds = [(FAILED, "What failed permanently"), (MISSING, "What it takes and never got")];
    let kinds = kinds.map(|(value, label)| (value.to_owned(), label.to_owned()));
    let spans = SPANS.map(|(value, label)| (value.to_owned(), label.to_owned()));
    html! {
        label for="what" { "Replay" }
        (form::select("what", "what", &kinds, Some(choice.kind)))
        label for="span" { "in" }
        (form::select("span", "span", &spans, Some(choice.span)))
    }
}

fn outlook(counted: &ReplayStatus) -> Markup {
    html! {
        @if counted.deliveries == 0 { "There is nothing to replay. Choose a longer time and count again." } @else {
            strong { @if counted.more { "At least " } (number::count(counted.deliveries)) }
            @if counted.deliveries == 1 { " delivery." } @else { " deliveries." }
        }
    }
}

pub(crate) async fn start(
    State(dashboard): State<Dashboard>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
    Form(params): Form,
) -> Result<Response, Failure> {
    let choice = counted(&params)?;
    if replay::is_changed(&params, &choice.code()) {
        let pairs = [("what", choice.kind), ("span", choice.span)];
        return Ok(see(&link::with_query(&path(&name), pairs)));
    }
    let status = dashboard.admin.replay(&caller, choice.request(&name, false)).await?;
    Ok(replay::begun(&status, &link::destination(&name)))
}
