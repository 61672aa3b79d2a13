//! Tables that scroll inside their own region, or become cards on a phone.

use maud::{Markup, html};

use crate::number;

/// A column's title; numbers are aligned at their end.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Column {
    Text(&'static str),
    Number(&'static str),
}

/// A table with these columns. `rows` are rows of [`cell`]s, whose labels name them in cards.
pub(crate) fn cards(label: &str, columns: &[Column], rows: &Markup) -> Markup {
    html! {
        table.cards aria-label=(label) {
            (head(columns))
            tbody { (rows) }
        }
    }
}

pub(crate) fn head(columns: &[Column]) -> Markup {
    html! {
        thead {
            tr {
                @for column in columns {
                    @match column {
                        Column::Text(title) => { th scope="col" { (title) } }
                        Column::Number(title) => { th.number scope="col" { (title) } }
                    }
                }
            }
        }
    }
}

pub(crate) fn cell(label: &str, content: &Markup) -> Markup {
    html! { td data-label=(label) { (content) } }
}

/// A cell whose number is aligned with those above and below.
pub(crate) fn count(label: &str, count: u64) -> Markup {
    html! { td.number data-label=(label) { (number::count(count)) } }
}

/// Names and values below each other.
pub(crate) fn facts(facts: &[(&str, Markup)]) -> Markup {
    html! {
        dl.facts { @for (name, value) in facts { div { dt { (name) } dd { (value) } } } }
    }
}

/// A number, or what stands for one, with its name above and a note below.
pub(crate) fn figure(name: &str, value: &Markup, note: &Markup) -> Markup {
    html! { div { dt { (name) } dd.value { (value) } dd.note { (note) } } }
}

/// How many dead letters a destination has, and where they are.
pub(crate) fn dead_letters(count: u64, url: &str, none: &str) -> Markup {
    figure(
        "Dead letters",
        &html! { (number::count(count)) },
        &html! { @if count > 0 { a href=(url) { "Show them" } } @else { (none) } },
    )
}

/// What to do where there is nothing to show.
pub(crate) fn empty(title: &str, what_next: &Markup) -> Markup {
    html! { div.empty { p.title { (title) } div { (what_next) } } }
}
