//! The audit log: who changed what.

use axum::Extension;
use axum::extract::State;
use deskbell_admin::{AuditEntry, Caller};
use maud::{Markup, html};

use crate::dashboard::Dashboard;
use crate::layout::{self, Html, Section};
use crate::link;
use crate::params::Query;
use crate::reply::Failure;
use crate::table::{Column::Text, cards, cell, empty};
use crate::time;

const PATH: &str = "/dashboard/settings/audit";
/// In the settings.
const NEWEST: u32 = 10;
const PAGE: u32 = 100;

pub(crate) async fn page(
    State(dashboard): State<Dashboard>,
    Extension(caller): Extension<Caller>,
    Query(params): Query,
) -> Result<Html, Failure> {
    let page = dashboard.admin.audit(params.number("before"), PAGE).await?;
    let about =
        html! { "Every change that was made through the API, these pages and the command line" };
    let content = html! {
        (layout::crumbs(&[("Settings", "/dashboard/settings")]))
        (layout::head(&html! { "Audit log" }, &about, &html! {}))
        div.card.flush { (table(&page.entries)) }
        @if let Some(next) = page.next {
            a.button href=(link::with_query(PATH, [("before", next.to_string().as_str())])) { "Older changes" }
        }
    };
    Ok(layout::page(&caller, Section::Settings, "Audit log", &content))
}

pub(super) async fn newest(dashboard: &Dashboard) -> Result<Markup, Failure> {
    let page = dashboard.admin.audit(None, NEWEST).await?;
    Ok(html! {
        section.card {
            div.title { h2 { "Audit log" } a.button href=(PATH) { "Show all" } }
            (table(&page.entries))
        }
    })
}

fn table(entries: &[AuditEntry]) -> Markup {
    let rows = html! {
        @for entry in entries {
            tr {
                (cell("When", &time::moment(entry.at)))
                (cell("Who", &html! { (entry.who) }))
                (cell("What", &html! { code { (entry.action) } }))
                (cell("Which", &html! { code { (entry.target) } }))
                (cell("Details", &html! { (entry.details.as_deref().unwrap_or("–")) }))
            }
        }
    };
    html! {
        @if entries.is_empty() {
            (empty("No changes yet.", &html! { "Pausing, replaying, tokens and revealed secrets are noted here." }))
        } @else {
            (cards("Changes", &[Text("When"), Text("Who"), Text("What"), Text("Which"), Text("Details")], &rows))
        }
    }
}
