//! What can be done with one event: sending it again.

use axum::Extension;
use axum::extract::{Path, State};
use axum::response::Response;
use deskbell_admin::{Caller, EventDetails, ReplayRequest};
use maud::{Markup, html};

use crate::dashboard::{Dashboard, may_change};
use crate::form;
use crate::link;
use crate::params::Form;
use crate::replay;
use crate::reply::Failure;

/// Sends an event again: to the destination that the form names, or to all that take it.
pub(crate) async fn replay_one(
    State(dashboard): State<Dashboard>,
    Extension(caller): Extension<Caller>,
    Path((source, id)): Path<(String, String)>,
    Form(params): Form,
) -> Result<Response, Failure> {
    let request = ReplayRequest {
        message_id: Some(id.clone()),
        source: Some(source.clone()),
        destination: params.owned("destination"),
        ..ReplayRequest::default()
    };
    let status = dashboard.admin.replay(&caller, request).await?;
    Ok(replay::begun(&status, &link::event(&source, &id)))
}

/// Replay to one destination or to all, for who may.
pub(super) fn replay_form(details: &EventDetails, caller: &Caller) -> Markup {
    let event = &details.event;
    let action = format!("{}/replay", link::event(&event.source, &event.message_id));
    let mut names: Vec<_> =
        details.deliveries.iter().map(|delivery| delivery.destination.clone()).collect();
    names.extend(details.unwanted.iter().map(|unwanted| unwanted.destination.clone()));
    names.sort();
    names.dedup();
    let options: Vec<_> = std::iter::once((String::new(), "all destinations".to_owned()))
        .chain(names.into_iter().map(|name| (name.clone(), name)))
        .collect();
    let content = html! {
        label.visually-hidden for="replay-to" { "Replay to" }
        (form::select("replay-to", "destination", &options, None))
        button type="submit" { "Replay" }
    };
    html! { @if may_change(caller) && !details.payload_pruned { (form::post(&action, &[], &content)) } }
}
