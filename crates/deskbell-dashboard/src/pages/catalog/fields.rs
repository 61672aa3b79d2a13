//! The fields that an event's `data` may have.

use clerk_webhooks::catalog::{Shape, shape};
use deskbell_admin::CatalogType;
use maud::{Markup, html};

/// Objects inside objects are unfolded this deep.
const DEPTH_MAX: usize = 6;

pub(super) fn of(known: &CatalogType) -> Markup {
    let is_deleted = known.event_type.ends_with(".deleted");
    html! {
        @if is_deleted {
            p { "A deleted object has only " code { "id" } ", " code { "object" } ", " code { "deleted" }
                " and perhaps " code { "external_id" } "." }
        } @else if let Some(Shape::Object(members)) = known.entity.as_deref().and_then(shape) {
            p.muted { "Clerk adds fields from time to time: one that is not here may be there all the same." }
            (tree(&members(), 0))
        } @else {
            p.muted { "Its fields are not described. The sample shows them." }
        }
    }
}

fn tree(members: &[(&'static str, Shape)], depth: usize) -> Markup {
    html! {
        ul.fields {
            @for (name, shape) in members {
                li {
                    @match inner(shape).filter(|_| depth < DEPTH_MAX) {
                        Some(inner) => {
                            details {
                                summary { code { (name) } span.muted { (kind(shape)) } }
                                (tree(&inner, depth + 1))
                            }
                        }
                        None => { code { (name) } span.muted { (kind(shape)) } }
                    }
                }
            }
        }
    }
}

fn inner(shape: &Shape) -> Option<Vec<(&'static str, Shape)>> {
    match shape {
        Shape::Object(members) => Some(members()),
        Shape::List(element) => inner(element),
        _ => None,
    }
}

fn kind(shape: &Shape) -> String {
    match shape {
        Shape::Text => "text".to_owned(),
        Shape::Integer => "integer".to_owned(),
        Shape::Number => "number".to_owned(),
        Shape::Boolean => "true or false".to_owned(),
        Shape::Time => "time, in milliseconds".to_owned(),
        Shape::Object(_) => "object".to_owned(),
        Shape::List(element) => format!("list of {}", plural(&kind(element))),
        _ => "any JSON".to_owned(),
    }
}

fn plural(kind: &str) -> String {
    match kind {
        "any JSON" | "true or false" => kind.to_owned(),
        kind => format!("{kind}s"),
    }
}
