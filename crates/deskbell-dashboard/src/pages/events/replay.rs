//! Replaying all events that a search finds: first how many, then the replay.

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use deskbell_admin::{Caller, ReplayRequest, ReplayStatus};
use maud::{Markup, html};

use super::filters;
use crate::dashboard::Dashboard;
use crate::filter::{Filter, PAGE_EVENTS, PATH};
use crate::form;
use crate::layout::{self, Html, Section};
use crate::number;
use crate::params::{Form, Query};
use crate::replay;
use crate::reply::{Failure, see};
use crate::time;

const ACTION: &str = "/dashboard/events/replay";

/// Says how much would be sent, and asks.
pub(crate) async fn confirm(
    State(dashboard): State<Dashboard>,
    Extension(caller): Extension<Caller>,
    Query(params): Query,
) -> Result<Html, Failure> {
    // What is counted is what is sent: not what comes until then.
    let filter = Filter::read(&params, &caller)?.fixed(time::now());
    let to = params.owned("to");
    let request = request(&filter, to.clone(), true);
    let counted = dashboard.admin.replay(&caller, request).await?;
    let destinations = dashboard.admin.destinations().await?;
    let options: Vec<_> = std::iter::once((String::new(), "all that take them".to_owned()))
        .chain(destinations.into_iter().map(|one| (one.name.clone(), one.name)))
        .collect();
    let chosen = to.as_deref().unwrap_or_default();
    let choices = html! {
        label for="to" { "To" }
        (form::select("to", "to", &options, to.as_deref()))
    };
    let content = html! {
        (layout::crumbs(&[("Events", &filter.url(PATH, &[]))]))
        (layout::head(&html! { "Replay events" }, &html! { "Sends every event that matches again, whatever became of it." }, &html! {}))
        (filters::chips(&filter))
        section.card {
            (replay::form(ACTION, &filter.pairs(), &choices, chosen, &outlook(&counted), &counted))
        }
    };
    Ok(layout::page(&caller, Section::Events, "Replay events", &content))
}

fn outlook(counted: &ReplayStatus) -> Markup {
    html! {
        @if counted.deliveries == 0 { "No delivery would be made. Choose another destination, or change the filters." } @else {
            strong { @if counted.more { "at least " } (number::count(counted.deliveries)) }
            @if counted.deliveries == 1 { " delivery would be made" } @else { " deliveries would be made" }
            ", from " (number::counted(counted.events, "event")) "."
        }
    }
}

/// Begins it, and goes to where its progress is.
pub(crate) async fn start(
    State(dashboard): State<Dashboard>,
    Extension(caller): Extension<Caller>,
    Form(params): Form,
) -> Result<Response, Failure> {
    let filter = Filter::read(&params, &caller)?;
    let to = params.one("to").unwrap_or_default();
    if replay::is_changed(&params, to) {
        return Ok(see(&filter.url(ACTION, &[("to", to)])));
    }
    let request = request(&filter, params.owned("to"), false);
    Ok(replay::begun(&dashboard.admin.replay(&caller, request).await?, PATH))
}

fn request(filter: &Filter, destination: Option<String>, dry_run: bool) -> ReplayRequest {
    ReplayRequest {
        matching: Some(filter.query(time::now(), None, PAGE_EVENTS)),
        destination,
        dry_run,
        ..ReplayRequest::default()
    }
}
