//! The catalog: every type of event that Clerk sends, its fields, a sample, and one to try.

mod fields;

use std::collections::BTreeMap;

use axum::Extension;
use axum::extract::{Path, State};
use axum::response::Response;
use clerk_webhooks::catalog::{self, CatalogEntry};
use deskbell_admin::{AdminError, Caller, CatalogType};
use maud::{Markup, html};

use crate::badge::words;
use crate::dashboard::{Dashboard, may_change};
use crate::destination::is_database;
use crate::filter;
use crate::form;
use crate::layout::{self, Html, Section};
use crate::link;
use crate::number;
use crate::pages::destinations;
use crate::params::Form;
use crate::payload;
use crate::reply::Failure;

const PATH: &str = "/dashboard/catalog";

pub(crate) async fn page(Extension(caller): Extension<Caller>) -> Html {
    let types = catalog::all();
    let mut by_entity: BTreeMap<String, Vec<&CatalogEntry>> = BTreeMap::new();
    for one in types {
        let entity = one.entity.map_or_else(|| "other".to_owned(), words);
        by_entity.entry(entity).or_default().push(one);
    }
    let about = html! { (number::counted(types.len() as u64, "type")) " of event, with their fields and a sample" };
    let content = html! {
        (layout::head(&html! { "Catalog" }, &about, &html! {}))
        div.grid {
            @for (entity, types) in &by_entity {
                section.card {
                    h2 { (entity) }
                    ul.types {
                        @for one in types {
                            li {
                                a href=(link::catalog_type(one.event_type.as_str())) { (one.event_type.as_str()) }
                                p.muted { (one.description) }
                            }
                        }
                    }
                }
            }
        }
    };
    layout::page(&caller, Section::Catalog, "Catalog", &content)
}

pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    Extension(caller): Extension<Caller>,
    Path(event_type): Path<String>,
) -> Result<Html, Failure> {
    let known = find(&event_type)?;
    let actions = html! {
        a.button href=(link::with_query(filter::PATH, [("type", event_type.as_str())])) { "Events of this type" }
    };
    let content = html! {
        (layout::crumbs(&[("Catalog", PATH)]))
        (layout::head(&html! { (known.event_type) }, &html! { (known.description) }, &actions))
        @if may_change(&caller) { (send_form(&dashboard, &known).await?) }
        div.columns {
            section.card {
                h2 { "Fields of " code { "data" } }
                (fields::of(&known))
            }
            section.card {
                div.title {
                    h2 { "Sample" }
                    (form::copy(&serde_json::to_string_pretty(&known.sample).unwrap_or_default(), "the sample"))
                }
                (payload::tree(&known.sample))
            }
        }
    };
    Ok(layout::page(&caller, Section::Catalog, &known.event_type, &content))
}

fn find(event_type: &str) -> Result<CatalogType, Failure> {
    let known = catalog::find(event_type).map(CatalogType::from);
    Ok(known.ok_or_else(|| AdminError::not_found("event type", event_type))?)
}

async fn send_form(dashboard: &Dashboard, known: &CatalogType) -> Result<Markup, Failure> {
    let destinations = dashboard.admin.destinations().await?;
    let options: Vec<_> = destinations
        .into_iter()
        .filter(|destination| !is_database(destination))
        .map(|destination| (destination.name.clone(), destination.name))
        .collect();
    let action = format!("{}/send", link::catalog_type(&known.event_type));
    Ok(html! {
        section.card {
            h2 { "Send one to a destination" }
            @if options.is_empty() {
                p.muted { "There is no destination that takes deliveries. "
                    a href="/dashboard/destinations/new" { "Add one" } "." }
            } @else {
                form.row method="post" action=(action) {
                    label for="send-to" { "To" }
                    (form::select("send-to", "destination", &options, None))
                    button type="submit" { "Send the sample" }
                }
                p.muted { "It goes to this destination alone, and never into a mirror." }
            }
        }
    })
}

/// Sends the sample to the destination that the form names, and shows the event.
pub(crate) async fn send(
    State(dashboard): State<Dashboard>,
    Extension(caller): Extension<Caller>,
    Path(event_type): Path<String>,
    Form(params): Form,
) -> Result<Response, Failure> {
    let destination = params.required("destination")?;
    destinations::send_sample(&dashboard, &caller, destination, &event_type).await
}
