//! The sections of the overview below its numbers.

use deskbell_admin::{DestinationView, Overview, SourceOverview};
use maud::{Markup, html};

use crate::badge;
use crate::chart::{Bar, Chart};
use crate::destination::{address, backlog, kind};
use crate::link;
use crate::number;
use crate::table::{
    self,
    Column::{Number, Text},
    cards, cell, empty,
};
use crate::time;

pub(super) fn events_per_minute(overview: &Overview) -> Markup {
    let minutes = &overview.minutes;
    let bars: Vec<_> = minutes
        .iter()
        .map(|minute| Bar { from: minute.from, values: vec![minute.events] })
        .collect();
    let total: u64 = minutes.iter().map(|minute| minute.events).sum();
    let summary = format!(
        "Events received in each of the last {} minutes, of which the newest is not over: {} in all",
        bars.len(),
        number::count(total)
    );
    let chart =
        Chart { summary: &summary, series: &[("events", "s-main")], bars: &bars, per: "minute" };
    html! {
        section.card {
            h2 { "Events received" }
            (chart.render())
        }
    }
}

pub(super) fn sources(overview: &Overview) -> Markup {
    let rows = html! {
        @for source in &overview.sources {
            tr {
                (cell("Source", &html! {
                    a.strong href=(link::with_query("/dashboard/events", [("source", source.name.as_str())])) {
                        (source.name)
                    }
                }))
                (cell("Last event", &last_event(source, overview)))
                td.number data-label="Last 24 hours" {
                    // With several sources, their shares are estimated from the newest events.
                    @if overview.sources.len() > 1 && source.events_last_day > 0 { "about " }
                    (number::count(source.events_last_day))
                }
                (cell("Usually", &html! {
                    @if let Some(rate) = source.usual_per_hour { (number::rate(rate)) " an hour" }
                    @else { span.muted { "not known yet" } }
                }))
            }
        }
    };
    html! {
        section.card {
            h2 { "Sources" }
            (cards("Sources", &[Text("Source"), Text("Last event"), Number("Last 24 hours"), Text("Usually")], &rows))
        }
    }
}

fn last_event(source: &SourceOverview, overview: &Overview) -> Markup {
    html! {
        @match (source.last_event_at, source.silent_since) {
            (None, _) => { span.muted { "none yet" } }
            (Some(at), None) => { (time::ago(at, overview.now)) }
            (Some(at), Some(_)) => {
                (badge::badge(badge::Tone::Bad, "silent")) " since " (time::moment(at))
            }
        }
    }
}

pub(super) fn destinations(overview: &Overview) -> Markup {
    let rows = html! { @for one in &overview.destinations { (destination(one)) } };
    html! {
        section.card {
            h2 { "Destinations" }
            @if overview.destinations.is_empty() {
                (empty("Events are stored, and go nowhere yet.", &html! {
                    a.button href="/dashboard/destinations" { "Add a destination" }
                }))
            } @else {
                (cards("Destinations", &[Text("Destination"), Text("State"), Text("Backlog"), Number("Dead letters")], &rows))
            }
        }
    }
}

fn destination(destination: &DestinationView) -> Markup {
    html! {
        tr {
            (cell("Destination", &html! {
                a.strong href=(address(destination)) { (destination.name) }
                span.kind { (kind(destination)) }
            }))
            (cell("State", &badge::destination_state(destination)))
            (cell("Backlog", &backlog(destination)))
            (table::count("Dead letters", destination.dead_lettered.unwrap_or(0)))
        }
    }
}

/// Requests that were refused, by their cause, with what to do.
pub(super) fn refused(overview: &Overview) -> Markup {
    let rows = html! {
        @for refused in &overview.refused {
            tr {
                (cell("Source", &html! { (refused.source) }))
                (cell("Cause", &html! { code { (refused.cause) } }))
                (table::count("Requests", refused.requests))
                (cell("What to do", &html! { (refused.help) }))
            }
        }
    };
    html! {
        section.card {
            h2 { "Refused requests" }
            @if overview.refused.is_empty() {
                p.muted { "No request to a webhook path was refused." }
            } @else {
                (cards("Refused requests", &[Text("Source"), Text("Cause"), Number("Requests"), Text("What to do")], &rows))
            }
        }
    }
}
