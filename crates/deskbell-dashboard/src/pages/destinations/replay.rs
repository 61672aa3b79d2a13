//! Replaying to one destination what failed or is missing: first how many, then the replay.

use axum::Extension;
use axum::extract::{Path, State};
use axum::response::Response;
use deskbell_admin::{Caller, ReplayRequest, ReplayStatus, Timestamp};
use maud::{Markup, html};

use crate::dashboard::Dashboard;
use crate::document::Html;
use crate::form;
use crate::layout::{self, Section};
use crate::link;
use crate::notice::Notice;
use crate::number;
use crate::params::{Form, Params, Query};
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

/// What the first form says; the failures of the last day where it was not sent yet.
fn choice(params: &Params) -> Result<Choice<'_>, Failure> {
    let span = params.one("span").unwrap_or(SPAN);
    let known = SPANS.iter().any(|(known, _)| *known == span);
    let ms = time::parse_span(span).filter(|_| known);
    let ms = ms.ok_or_else(|| Failure::BadRequest(format!("`span`: unknown span `{span}`")))?;
    Ok(Choice { kind: kind(params)?, span, since: time::before(time::now(), ms) })
}

/// What the second form says: exactly what was counted.
fn confirmed(params: &Params) -> Result<Choice<'_>, Failure> {
    let since = params.required("since")?;
    let wrong = || Failure::BadRequest(format!("`since`: expected a time, found `{since}`"));
    Ok(Choice { kind: kind(params)?, span: SPAN, since: time::parse(since).ok_or_else(wrong)? })
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
    let about = html! { "Sends events of the log to this destination again" };
    let content = html! {
        (layout::crumbs(&[("Destinations", super::list::PATH), (&name, &link::destination(&name))]))
        (layout::head(&html! { "Replay to " (name) }, &about, &html! {}))
        section.card {
            (choices(&name, &choice))
            (outlook(&counted))
            @if counted.deliveries > 0 { (begin(&name, &choice, &counted)) }
        }
    };
    Ok(layout::page(&caller, Section::Destinations, &format!("Replay to {name}"), &content))
}

fn choices(name: &str, choice: &Choice<'_>) -> Markup {
    let kinds = [(FAILED, "What failed permanently"), (MISSING, "What it takes and never got")];
    let kinds = kinds.map(|(value, label)| (value.to_owned(), label.to_owned()));
    let spans = SPANS.map(|(value, label)| (value.to_owned(), label.to_owned()));
    html! {
        form.row action={ (link::destination(name)) "/replay" } {
            label for="what" { "Replay" }
            (form::select("what", "what", &kinds, Some(choice.kind)))
            label for="span" { "in" }
            (form::select("span", "span", &spans, Some(choice.span)))
            button type="submit" { "Count" }
        }
    }
}

fn outlook(counted: &ReplayStatus) -> Markup {
    html! {
        p.outlook {
            @if counted.deliveries == 0 { "There is nothing to replay." } @else {
                strong { @if counted.more { "At least " } (number::count(counted.deliveries)) }
                @if counted.deliveries == 1 { " delivery." } @else { " deliveries." }
            }
        }
    }
}

fn begin(name: &str, choice: &Choice<'_>, counted: &ReplayStatus) -> Markup {
    let action = format!("{}/replay", link::destination(name));
    let since = choice.since.to_string();
    let fields = [("what", choice.kind), ("since", since.as_str())];
    let label = if counted.more {
        "Replay all of them".to_owned()
    } else {
        format!("Replay {}", number::count(counted.deliveries))
    };
    form::post(&action, &fields, &html! { button.primary type="submit" { (label) } })
}

pub(crate) async fn start(
    State(dashboard): State<Dashboard>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
    Form(params): Form,
) -> Result<Response, Failure> {
    let request = confirmed(&params)?.request(&name, false);
    let status = dashboard.admin.replay(&caller, request).await?;
    Ok(see(&match status.id {
        Some(id) if !status.done => link::replay(id),
        _ => Notice::Replayed.at(&link::destination(&name), Some(status.deliveries)),
    }))
}
