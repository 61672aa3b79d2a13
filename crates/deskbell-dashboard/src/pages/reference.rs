//! The reference of the HTTP API, made from its OpenAPI document.

mod operation;
mod schema;

use std::collections::BTreeMap;

use axum::Extension;
use axum::extract::State;
use deskbell_admin::Caller;
use maud::{Markup, html};
use serde_json::Value;

use self::operation::Operation;
use crate::dashboard::Dashboard;
use crate::layout::{self, Html, Section};
use crate::link;
use crate::number;
use crate::params::Query;
use crate::table::empty;

const PATH: &str = "/dashboard/reference";

pub(crate) async fn page(
    State(dashboard): State<Dashboard>,
    Extension(caller): Extension<Caller>,
    Query(params): Query,
) -> Html {
    let document = &*dashboard.openapi;
    let groups = groups(document);
    let chosen = params.one("tag").filter(|tag| groups.contains_key(tag));
    let chosen = chosen.or_else(|| groups.keys().next().copied());
    let about = html! {
        "Version " (document["info"]["version"].as_str().unwrap_or("–"))
        " · " a href="/api/openapi.json" { "OpenAPI document" }
    };
    let content = html! {
        (layout::head(&html! { "API reference" }, &about, &html! {}))
        @match chosen.and_then(|tag| Some((tag, groups.get(tag)?))) {
            Some((tag, operations)) => {
                div.reference {
                    (tags(&groups, tag))
                    div { @for operation in operations { (operation.render(document)) } }
                }
            }
            None => { (empty("There is nothing to call.", &html! { "The OpenAPI document names no path." })) }
        }
    };
    layout::page(&caller, Section::Reference, "API reference", &content)
}

fn tags(groups: &BTreeMap<&str, Vec<Operation<'_>>>, chosen: &str) -> Markup {
    html! {
        nav.tags aria-label="Parts of the API" {
            ul {
                @for (tag, operations) in groups {
                    li {
                        a href=(link::with_query(PATH, [("tag", *tag)])) aria-current=[(*tag == chosen).then_some("true")] {
                            (tag) span.muted { (number::count(operations.len() as u64)) }
                        }
                    }
                }
            }
        }
    }
}

/// Operations by their first tag, in the order of their paths.
fn groups(document: &Value) -> BTreeMap<&str, Vec<Operation<'_>>> {
    let mut groups: BTreeMap<&str, Vec<Operation<'_>>> = BTreeMap::new();
    let paths = document["paths"].as_object().into_iter().flatten();
    for (path, item) in paths {
        for operation in Operation::of_path(path, item) {
            groups.entry(operation.tag()).or_default().push(operation);
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn operations_are_found_by_their_tag() {
        let document = json!({"paths": {
            "/a": {"get": {"tags": ["one"]}, "post": {"tags": ["two"]}, "parameters": []},
            "/b": {"delete": {}},
        }});
        let groups = groups(&document);
        let found: Vec<_> = groups.iter().map(|(tag, found)| (*tag, found.len())).collect();
        assert_eq!(found, [("one", 1), ("other", 1), ("two", 1)]);
    }
}
