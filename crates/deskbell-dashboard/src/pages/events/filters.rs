//! What one searches events by: a form, and a chip for each part that is set.

use deskbell_admin::{Caller, DeliveryStateFilter};
use maud::{Markup, html};

use crate::filter::{Filter, PATH, state_code};
use crate::form;
use crate::params::Params;

const SPANS: [(&str, &str); 5] = [
    ("", "Any time"),
    ("1h", "Last hour"),
    ("24h", "Last 24 hours"),
    ("7d", "Last 7 days"),
    ("30d", "Last 30 days"),
];

/// The form, with what was asked for, also where that is no filter.
pub(super) fn form(params: &Params, caller: &Caller) -> Markup {
    html! {
        form.filters action=(PATH) role="search" aria-label="Search events" {
            div.main {
                @if caller.sees_payloads() {
                    (text(params, "text", "Payload contains", "ada@example.com", None))
                }
                (text(params, "type", "Type", "user.*", Some("types")))
                (text(params, "subject", "Subject", "user_…", None))
                (choice("state", "Deliveries", &states(), params.one("state")))
                (choice("since", "Received", &spans(params.one("since")), params.one("since")))
                button.primary type="submit" { "Search" }
            }
            (more(params))
            @for event_type in params.all("type").skip(1) {
                input type="hidden" name="type" value=(event_type);
            }
        }
        (form::event_types("types"))
    }
}

fn more(params: &Params) -> Markup {
    let used =
        ["id", "source", "destination", "until"].iter().any(|name| params.one(name).is_some());
    html! {
        details.more open[used] {
            summary { "More" }
            div.main {
                (text(params, "id", "Event id", "msg_…", None))
                (text(params, "source", "Source", "clerk", None))
                (text(params, "destination", "Destination", "app", None))
                (text(params, "until", "Received before (UTC)", "2026-11-21T08:00", None))
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
fn spans(chosen: Option<&str>) -> Vec<(String, String)> {
    let mut spans = SPANS.map(|(value, label)| (value.to_owned(), label.to_owned())).to_vec();
    if let Some(chosen) = chosen.filter(|chosen| spans.iter().all(|(value, _)| value != chosen)) {
        spans.push((chosen.to_owned(), format!("Since {chosen}")));
    }
    spans
}

fn text(params: &Params, name: &str, label: &str, example: &str, list: Option<&str>) -> Markup {
    let id = format!("filter-{name}");
    let control = html! {
        input id=(id) type="text" name=(name) value=[params.one(name)] placeholder=(example)
            maxlength="1000" list=[list] autocomplete="off" spellcheck="false";
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
