//! A destination: how it is, what it was sent, how it is set, and what can be done with it.

use axum::Extension;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use deskbell_admin::{AdminError, Caller, DestinationView, SealedSecret};
use maud::{Markup, html};

use super::endpoint::{self, Found};
use super::{health, secret};
use crate::dashboard::{Dashboard, may_change};
use crate::destination::{
    backlog, declared_in, event_number, is_database, kind, newest, pause_or_resume, top,
};
use crate::form;
use crate::layout::{self, Section};
use crate::link;
use crate::notice;
use crate::params::{Params, Query};
use crate::payload;
use crate::reply::Failure;
use crate::table::{dead_letters, figure};
use crate::time;

pub(crate) async fn page(
    State(dashboard): State<Dashboard>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
    Query(params): Query,
) -> Result<Response, Failure> {
    render(&dashboard, &caller, &name, &params, None).await
}

/// The same page with the secret, which was asked for.
pub(crate) async fn reveal(
    State(dashboard): State<Dashboard>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
) -> Result<Response, Failure> {
    let found = endpoint::changeable(&dashboard, &name).await?;
    let secret = dashboard.admin.endpoint_secret(&caller, &found.source, &name).await?;
    render(&dashboard, &caller, &name, &Params::default(), Some(&secret)).await
}

async fn render(
    dashboard: &Dashboard,
    caller: &Caller,
    name: &str,
    params: &Params,
    revealed: Option<&SealedSecret>,
) -> Result<Response, Failure> {
    let view = dashboard.admin.destination(name).await?.for_caller(caller);
    let endpoint = endpoint::find(dashboard, name).await?;
    let about = html! {
        (kind(&view)) @if let Some(receiver) = &view.receiver { " · " code { (receiver) } }
        " · " (declared_in(&view))
    };
    let content = html! {
        (top(&view, &about, &actions(&view, endpoint.as_ref(), caller), &notice::of(params)))
        (figures(&view))
        @if !is_database(&view) {
            (health::chart(dashboard, name, params).await?)
            (health::attempts(dashboard, caller, name, params).await?)
        }
        @if let Some(found) = endpoint.as_ref().filter(|_| may_change(caller)) {
            @if found.is_ours() { (secret::section(name, revealed)) }
            (headers(dashboard, found).await?)
        }
        (settings(&view))
    };
    let page = layout::page(caller, Section::Destinations, &view.name, &content);
    Ok(page.into_response())
}

fn actions(view: &DestinationView, endpoint: Option<&Found>, caller: &Caller) -> Markup {
    let path = link::destination(&view.name);
    html! {
        @if is_database(view) { a.button href=(link::mirror(&view.name)) { "Tables of the mirror" } }
        @if may_change(caller) {
            (pause_or_resume(view))
            @if !is_database(view) {
                (test(view))
                a.button href={ (path) "/replay" } { "Replay…" }
            }
            @if endpoint.is_some_and(Found::is_ours) {
                a.button href={ (path) "/edit" } { "Edit" }
                (form::confirmed(&format!("{path}/delete"), "Delete",
                    "Its pending deliveries are not sent. Events stay in the log.", &[]))
            }
        }
    }
}

fn test(view: &DestinationView) -> Markup {
    let action = format!("{}/test", link::destination(&view.name));
    html! {
        details.confirm {
            summary.button { "Send a test…" }
            div.popover {
                form.stack method="post" action=(action) {
                    label for="test-type" { "Type" }
                    input id="test-type" type="text" name="type" value="user.created" list="test-types" required;
                    (form::event_types("test-types"))
                    button.primary type="submit" { "Send a sample" }
                }
            }
        }
    }
}

fn figures(view: &DestinationView) -> Markup {
    let dead = view.dead_lettered.unwrap_or(0);
    html! {
        dl.figures {
            (figure("Backlog", &backlog(view), &html! {
                @if let Some(oldest) = view.oldest_received_at { "the oldest from " (time::moment(oldest)) }
            }))
            (dead_letters(dead, &link::dead_letters(&view.name), "nothing failed permanently"))
            (figure("Routed up to", &event_number(view.routed), &newest(view)))
        }
    }
}

/// The headers that are sent with each request, and a form that replaces all of them.
async fn headers(dashboard: &Dashboard, found: &Found) -> Result<Markup, Failure> {
    let id = &found.endpoint.id;
    let headers = match dashboard.admin.endpoint_headers(&found.source, id).await {
        Ok(headers) => headers,
        Err(AdminError::NotSupported(_)) => return Ok(html! {}),
        Err(error) => return Err(error.into()),
    };
    Ok(html! {
        section.card {
            h2 { "Headers" }
            @if headers.is_empty() { p.muted { "No headers beside those of the signature." } }
            @else {
                dl.facts {
                    @for (name, value) in &headers { div { dt { (name) } dd { code { (value.0) } } } }
                }
            }
            @if found.is_ours() {
                details.more {
                    summary { "Replace them" }
                    form.stack method="post" action={ (link::destination(id)) "/headers" } {
                        (form::field("headers", "Headers", "One a line, such as x-team: billing. These replace all others.",
                            &html! { textarea id="headers" name="headers" rows="4" spellcheck="false" aria-describedby="headers-help" {} }))
                        button type="submit" { "Replace the headers" }
                    }
                }
            }
        }
    })
}

fn settings(view: &DestinationView) -> Markup {
    html! {
        section.card {
            h2 { "Settings" }
            @if view.settings.is_null() { p.muted { "It has no settings here." } }
            @else { (payload::tree(&view.settings)) }
            @if view.read_only && view.destination_type.is_some() {
                p.muted { "Change them in the config file, under " code { "[[destination]]" }
                    " with the name " code { (view.name) } ", and send Deskbell SIGHUP." }
            }
        }
    }
}
