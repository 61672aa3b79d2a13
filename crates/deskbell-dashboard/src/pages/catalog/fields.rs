//! The fields that an event's `data` may have.

use deskbell_admin::{CatalogField, CatalogType};
use maud::{Markup, html};

pub(super) fn of(known: &CatalogType) -> Markup {
    let fields = known.fields();
    html! {
        @if known.names_a_deleted_object() {
            p { "A deleted object has only " code { "id" } ", " code { "object" } ", " code { "deleted" }
                " and perhaps " code { "external_id" } "." }
        } @else if !fields.is_empty() {
            p.muted { "Clerk adds fields from time to time: one that is not here may be there all the same." }
            (tree(&fields))
        } @else {
            p.muted { "Its fields are not described. The sample shows them." }
        }
    }
}

fn tree(fields: &[CatalogField]) -> Markup {
    html! {
        ul.fields {
            @for field in fields {
                li {
                    @if field.fields.is_empty() {
                        code { (field.name) } span.muted { (field.kind) }
                    } @else {
                        details {
                            summary { code { (field.name) } span.muted { (field.kind) } }
                            (tree(&field.fields))
                        }
                    }
                }
            }
        }
    }
}
