//! A mirror: its tables, how far it is, and what its last comparison with Clerk found.

use axum::Extension;
use axum::extract::{Path, State};
use deskbell_admin::{Caller, DestinationView, MirrorView, ReconciledView};
use maud::{Markup, html};

use crate::badge::{self, Tone, badge};
use crate::dashboard::{Dashboard, may_change};
use crate::destination::{backlog, event_number, newest, pause_or_resume, top};
use crate::layout::{self, Html, Section};
use crate::link;
use crate::number;
use crate::reply::Failure;
use crate::table::{
    Column::{Number, Text},
    cards, cell, dead_letters, empty, facts, figure,
};
use crate::time;

pub(crate) async fn page(
    State(dashboard): State<Dashboard>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
) -> Result<Html, Failure> {
    let mirror = dashboard.admin.mirror(&name).await?.for_caller(&caller);
    let view = &mirror.destination;
    let about = html! {
        "Mirror" @if let Some(receiver) = &view.receiver { " in " code { (receiver) } }
    };
    let actions = html! {
        @if may_change(&caller) { (pause_or_resume(view)) }
        a.button href=(link::destination(&view.name)) { "Settings" }
    };
    let content = html! {
        (top(view, &about, &actions, &html! {}))
        (figures(view))
        (tables(&mirror))
        (details(view))
    };
    Ok(layout::page(&caller, Section::Destinations, &view.name, &content))
}

fn figures(view: &DestinationView) -> Markup {
    let dead = view.dead_lettered.unwrap_or(0);
    let last = view.reconciled.as_ref();
    html! {
        dl.figures {
            (figure("Lag", &backlog(view), &newest(view)))
            (dead_letters(dead, &link::dead_letters(&view.name), "no row was rejected"))
            (figure("Waiting rows", &html! { (number::known(view.waiting_rows)) }, &html! { "retried automatically" }))
            (figure("Last reconcile", &reconciled(last), &found(last)))
        }
    }
}

fn reconciled(reconciled: Option<&ReconciledView>) -> Markup {
    html! {
        @if let Some(last) = reconciled { (time::ago(last.started_at, time::now())) } @else { "never" }
    }
}

fn found(reconciled: Option<&ReconciledView>) -> Markup {
    html! {
        @if let Some(last) = reconciled {
            @if last.repaired == 0 && last.left == 0 { (badge(Tone::Good, "no difference")) }
            @if last.repaired > 0 { (badge(Tone::Warn, &format!("{} repaired", number::count(last.repaired)))) }
            @if last.left > 0 { (badge(Tone::Bad, &format!("{} differ", number::count(last.left)))) }
            @if !last.complete { " not complete" }
        } @else { "none yet; it needs Clerk's secret key" }
    }
}

fn tables(mirror: &MirrorView) -> Markup {
    let rows = html! {
        @for table in &mirror.tables {
            tr {
                (cell("Table", &html! { code { (table.name) } }))
                (cell("Entity", &html! { (badge::words(&table.entity)) }))
                (cell("Kind", &html! { @if table.mapped { "your table" } @else { "mirror" } }))
                td.number data-label="Rows" { (number::known(table.rows)) }
            }
        }
    };
    html! {
        section.card {
            h2 { "Tables" }
            @if let Some(error) = &mirror.error { p.notice.warn { "The tables could not be read: " (error) } }
            @if mirror.tables.is_empty() && mirror.error.is_none() {
                (empty("No tables yet.", &html! { "They are created when the mirror starts." }))
            } @else if !mirror.tables.is_empty() {
                (cards("Tables", &[Text("Table"), Text("Entity"), Text("Kind"), Number("Rows")], &rows))
            }
        }
    }
}

fn details(view: &DestinationView) -> Markup {
    html! {
        section.card {
            h2 { "Progress" }
            (facts(&[
                ("State since", time::maybe(view.since)),
                ("Last event applied", event_number(view.routed)),
                ("Oldest event not applied", time::maybe(view.oldest_received_at)),
                ("Reported", time::maybe(view.reported_at)),
            ]))
        }
    }
}
