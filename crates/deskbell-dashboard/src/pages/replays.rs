//! A replay's progress.

use axum::Extension;
use axum::extract::{Path, State};
use deskbell_admin::{Caller, ReplayStatus};
use maud::{Markup, html};

use crate::badge::{Tone, badge};
use crate::dashboard::Dashboard;
use crate::layout::{self, Html, Section};
use crate::link;
use crate::number;
use crate::reply::Failure;
use crate::table::figure;

pub(crate) async fn page(
    State(dashboard): State<Dashboard>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<i64>,
) -> Result<Html, Failure> {
    let status = dashboard.admin.replay_status(id).await?;
    let content = html! {
        (layout::crumbs(&[("Events", "/dashboard/events")]))
        (layout::head(&html! { "Replay " (id) }, &html! { @if !status.done { "It goes on when you leave this page." } }, &html! {}))
        (progress(id, &status))
    };
    Ok(layout::page(&caller, Section::Events, "Replay", &content))
}

/// While it runs, this part of the page is asked for again.
fn progress(id: i64, status: &ReplayStatus) -> Markup {
    let runs = !status.done && status.failed.is_none();
    let again = runs.then(|| link::replay(id));
    html! {
        section.card id="progress" hx-get=[again.as_deref()] hx-trigger=[again.as_ref().map(|_| "every 1s")]
            hx-select=[again.as_ref().map(|_| "#progress")] hx-swap=[again.as_ref().map(|_| "outerHTML")] {
            p role="status" {
                @if status.failed.is_some() { (badge(Tone::Bad, "stopped")) }
                @else if runs { (badge(Tone::Info, "running")) }
                @else { (badge(Tone::Good, "done")) }
            }
            @if let Some(reason) = &status.failed { (stopped(reason)) }
            @if runs { progress aria-label="Replay" {} }
            dl.figures {
                (figure("Deliveries pending again", &html! { (number::count(status.deliveries)) }, &html! {}))
                @if status.events > 0 {
                    (figure("Events looked at", &html! { (number::count(status.events)) }, &html! {}))
                }
            }
            @if runs {
                noscript { p { "Reload this page to see how far it is." } }
            } @else {
                p { a.button href="/dashboard/destinations" { "Show the destinations" } }
            }
        }
    }
}

fn stopped(reason: &str) -> Markup {
    html! {
        div.notice.bad role="alert" {
            span { "The replay stopped with a failure: " (reason) ". What it had sent until then stays sent." }
        }
    }
}
