//! All destinations, mirrors among them.

use axum::Extension;
use axum::extract::State;
use deskbell_admin::{Caller, DestinationView};
use maud::{Markup, html};

use crate::badge;
use crate::dashboard::{Dashboard, may_change};
use crate::destination::{address, backlog, declared_in, kind};
use crate::layout::{self, Html, Section};
use crate::notice;
use crate::number;
use crate::params::Query;
use crate::reply::Failure;
use crate::table::{
    self,
    Column::{Number, Text},
    cards, cell, empty,
};

pub(crate) async fn page(
    State(dashboard): State<Dashboard>,
    Extension(caller): Extension<Caller>,
    Query(params): Query,
) -> Result<Html, Failure> {
    let destinations = dashboard.admin.destinations().await?.into_iter();
    let destinations: Vec<_> = destinations.map(|one| one.for_caller(&caller)).collect();
    let about = html! { (number::counted(destinations.len() as u64, "destination")) ", mirrors among them" };
    let actions = html! {
        @if may_change(&caller) { a.button.primary href="/dashboard/destinations/new" { "Add an HTTP destination" } }
    };
    let content = html! {
        (layout::head(&html! { "Destinations" }, &about, &actions))
        (notice::of(&params))
        @if destinations.is_empty() {
            (empty("Events are stored, and go nowhere yet.", &html! {
                "Add an HTTP destination here, or a mirror, email or Slack in deskbell.toml with "
                code { "[[destination]]" } "."
            }))
        } @else {
            div.card.flush { (rows(&destinations)) }
        }
    };
    Ok(layout::page(&caller, Section::Destinations, "Destinations", &content))
}

fn rows(destinations: &[DestinationView]) -> Markup {
    let columns = [
        Text("Destination"),
        Text("Sends to"),
        Text("State"),
        Text("Backlog"),
        Number("Dead letters"),
        Text("Settings"),
    ];
    let rows = html! {
        @for one in destinations {
            tr.link {
                (cell("Destination", &html! {
                    a.cover href=(address(one)) { (one.name) } span.kind { (kind(one)) }
                }))
                (cell("Sends to", &html! { code { (one.receiver.as_deref().unwrap_or("–")) } }))
                (cell("State", &badge::destination_state(one)))
                (cell("Backlog", &backlog(one)))
                (table::count("Dead letters", one.dead_lettered.unwrap_or(0)))
                (cell("Settings", &html! { (declared_in(one)) }))
            }
        }
    };
    cards("Destinations", &columns, &rows)
}
