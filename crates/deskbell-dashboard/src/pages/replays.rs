//! A replay's progress.

use axum::Extension;
use axum::extract::{Path, State};
use deskbell_admin::{Caller, ReplayStatus};
use maud::{Markup, html};

use crate::badge::{Tone, badge};
use crate::dashboard::Dashboard;
use crate::document::Html;
use crate::layout::{self, Section};
use crate::link;
use crate::number;
use crate::reply::Failure;

pub(crate) async fn page(
    State(dashboard): State<Dashboard>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<i64>,
) -> Result<Html, Failure> {
    let status = dashboard.admin.replay_status(id).await?;
    let content = html! {
        (layout::crumbs(&[("Events", "/dashboard/events")]))
        (layout::head(&html! { "Replay " (id) }, &html! { "It goes on when you leave this page." }, &html! {}))
        (progress(id, &status))
    };
    Ok(layout::page(&caller, Section::Events, "Replay", &content))
}

/// While it runs, this part of the page is asked for again.
fn progress(id: i64, status: &ReplayStatus) -> Markup {
    let again = (!status.done).then(|| link::replay(id));
    html! {
        section.card id="progress" hx-get=[again.as_deref()] hx-trigger=[again.as_ref().map(|_| "every 1s")]
            hx-select=[again.as_ref().map(|_| "#progress")] hx-swap=[again.as_ref().map(|_| "outerHTML")] {
            p role="status" {
                @if status.done { (badge(Tone::Good, "done")) } @else { (badge(Tone::Info, "running")) }
            }
            @if !status.done { progress aria-label="Replay" {} }
            dl.figures {
                div { dt { "Deliveries pending again" } dd.value { (number::count(status.deliveries)) } }
                @if status.events > 0 {
                    div { dt { "Events looked at" } dd.value { (number::count(status.events)) } }
                }
            }
            @if status.done {
                p { a.button href="/dashboard/destinations" { "Watch the destinations" } }
            } @else {
                noscript { p { "Reload this page to see how far it is." } }
            }
        }
    }
}
