//! Forms that change something. Each works without a script.

use clerk_webhooks::catalog;
use maud::{Markup, html};

/// A button that posts these fields.
pub(crate) fn button(action: &str, label: &str, fields: &[(&str, &str)]) -> Markup {
    post(action, fields, &html! { button type="submit" { (label) } })
}

/// A button for what cannot be taken back: it opens a second one, with an explanation.
pub(crate) fn confirmed(
    action: &str,
    label: &str,
    explanation: &str,
    fields: &[(&str, &str)],
) -> Markup {
    html! {
        details.confirm {
            summary.button { (label) "…" }
            div.popover {
                p { (explanation) }
                (post(action, fields, &html! { button.danger type="submit" { (label) } }))
            }
        }
    }
}

/// A form with these hidden fields.
pub(crate) fn post(action: &str, fields: &[(&str, &str)], content: &Markup) -> Markup {
    html! {
        form.inline method="post" action=(action) {
            @for (name, value) in fields { input type="hidden" name=(name) value=(value); }
            (content)
        }
    }
}

/// A field with its label, and what helps to fill it in.
pub(crate) fn field(id: &str, label: &str, help: &str, control: &Markup) -> Markup {
    html! {
        div.field {
            label for=(id) { (label) }
            (control)
            @if !help.is_empty() { p.help id={ (id) "-help" } { (help) } }
        }
    }
}

/// A list to choose one of: values and their labels.
pub(crate) fn select(
    id: &str,
    name: &str,
    options: &[(String, String)],
    chosen: Option<&str>,
) -> Markup {
    html! {
        select id=(id) name=(name) {
            @for (value, label) in options {
                option value=(value) selected[Some(value.as_str()) == chosen] { (label) }
            }
        }
    }
}

/// What a field for a type of event suggests.
pub(crate) fn event_types(id: &str) -> Markup {
    html! {
        datalist id=(id) {
            @for known in catalog::all() { option value=(known.event_type.as_str()) {} }
        }
    }
}

/// A button that copies this text; scripts make it work, and without them it is hidden.
pub(crate) fn copy(text: &str, what: &str) -> Markup {
    html! {
        button.copy.js-only type="button" data-copy=(text) aria-label={ "Copy " (what) } { "Copy" }
    }
}

/// A button that copies what another address answers.
pub(crate) fn copy_from(url: &str, label: &str) -> Markup {
    html! { button.copy.js-only type="button" data-copy-from=(url) { (label) } }
}
