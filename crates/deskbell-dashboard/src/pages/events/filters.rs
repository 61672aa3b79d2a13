//! What one searches events by: a form, and a chip for each part that is set.

use deskbell_admin::{Caller, DeliveryStateFilter};
use maud::{Markup, html};

use crate::filter::{Filter, PATH, state_code};
use crate::form;

const SPANS: [(&str, &str); 5] = [
    ("", "Any time"),
    ("1h", "Last hour"),
    ("24h", "Last 24 hours"),
    ("7d", "Last 7 days"),
    ("30d", "Last 30 days"),
];

pub(super) fn form(filter: &Filter, caller: &Caller) -> Markup {
    html! {
        form.filters action=(PATH) role="search" aria-label="Search events" {
            div.main {
                @if caller.sees_payloads() {
                    (text("text", "Payload contains", "ada@example.com", filter.text.as_deref(), None))
                }
                (text("type", "Type", "user.*", filter.types.first().map(String::as_str), Some("types")))
                (text("subject", "Subject", "user_…", filter.subject.as_deref(), None))
                (choice("state", "Deliveries", &states(), filter.state.map(state_code)))
                (choice("since", "Received", &spans(filter), filter.since.as_ref().map(|when| when.text.as_str())))
                button.primary type="submit" { "Search" }
            }
            (more(filter))
            @for event_type in filter.types.iter().skip(1) {
                input type="hidden" name="type" value=(event_type);
            }
        }
        (form::event_types("types"))
    }
}

fn more(filter: &Filter) -> Markup {
    let used = filter.message_id.is_some()
        || filter.source.is_some()
        || filter.until.is_some()
        || filter.destination.is_some();
    html! {
        details.more open[used] {
            summary { "More" }
            div.main {
                (text("id", "Event id", "msg_…", filter.message_id.as_deref(), None))
                (text("source", "Source", "clerk", filter.source.as_deref(), None))
                (text("destination", "Destination", "app", filter.destination.as_deref(), None))
                (text("until", "Received before (UTC)", "2026-11-21T08:00",
                    filter.until.as_ref().map(|when| when.text.as_str()), None))
            }
        }
    }
}

fn states() -> Vec<(String, String)> {
    let states = [
        ("", "Any"),
        (state_code(DeliveryStateFilter::Pending), "With a pending one"),
        (state_code(DeliveryStateFilter::DeadLettered), "With a dead letter"),
    ];
    states.map(|(value, label)| (value.to_owned(), label.to_owned())).to_vec()
}

/// The usual spans, and the one of the address where it is another.
fn spans(filter: &Filter) -> Vec<(String, String)> {
    let mut spans = SPANS.map(|(value, label)| (value.to_owned(), label.to_owned())).to_vec();
    if let Some(when) = &filter.since
        && spans.iter().all(|(value, _)| *value != when.text)
    {
        spans.push((when.text.clone(), format!("Since {}", when.text)));
    }
    spans
}

fn text(name: &str, label: &str, example: &str, value: Option<&str>, list: Option<&str>) -> Markup {
    let id = format!("filter-{name}");
    let control = html! {
        input id=(id) type="text" name=(name) value=[value] placeholder=(example) maxlength="1000"
            list=[list] autocomplete="off" spellcheck="false";
    };
    form::field(&id, label, "", &control)
}

fn choice(name: &str, label: &str, options: &[(String, String)], chosen: Option<&str>) -> Markup {
    let id = format!("filter-{name}");
    form::field(&id, label, "", &form::select(&id, name, options, chosen))
}

pub(super) fn chips(filter: &Filter) -> Markup {
    html! {
        @if !filter.is_empty() {
            ul.chips aria-label="Filters" {
                @for chip in filter.chips() {
                    li { a href=(chip.without) aria-label={ "Remove the filter " (chip.label) } {
                        span { (chip.label) } span aria-hidden="true" { "×" }
                    } }
                }
                li { a.clear href=(PATH) { "Clear all" } }
            }
        }
    }
}
