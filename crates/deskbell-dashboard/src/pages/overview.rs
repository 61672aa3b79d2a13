//! The overview: whether everything is well, in one glance.

mod problems;
mod sections;

use axum::Extension;
use axum::extract::State;
use axum::response::IntoResponse;
use deskbell_admin::{Caller, MinuteCount, Overview};
use maud::{Markup, html};

use self::problems::{Problem, problems};
use crate::badge::Tone;
use crate::dashboard::Dashboard;
use crate::icon::{Icon, icon};
use crate::layout::{self, Section};
use crate::number;
use crate::pages::setup;
use crate::reply::Reply;
use crate::table::{dead_letters, figure};
use crate::time::{self, MINUTE};

pub(crate) async fn page(
    State(dashboard): State<Dashboard>,
    Extension(caller): Extension<Caller>,
) -> Reply {
    let overview = dashboard.admin.overview().await?.for_caller(&caller);
    if overview.head == 0 {
        return Ok(setup::page_of(&caller, &overview).into_response());
    }
    let content = html! {
        div id="live" hx-get="/dashboard" hx-trigger="every 10s" hx-select="#live" hx-swap="outerHTML" {
            (layout::head(&html! { "Overview" }, &about(&overview), &html! {}))
            (verdict(&problems(&overview)))
            (figures(&overview))
            (sections::events_per_minute(&overview))
            (sections::sources(&overview))
            (sections::destinations(&overview))
            (sections::refused(&overview))
        }
    };
    Ok(layout::page(&caller, Section::Overview, "Overview", &content).into_response())
}

fn about(overview: &Overview) -> Markup {
    html! {
        "Deskbell " (overview.version) " · as of " (time::moment(overview.now))
        " · " a href="/dashboard/setup" { "Set-up guide" }
    }
}

/// All is well, or what is not.
fn verdict(problems: &[Problem]) -> Markup {
    let worst = problems.iter().map(|problem| problem.tone).max().unwrap_or(Tone::Good);
    html! {
        section.verdict.(worst.class()) aria-label="State" {
            @if problems.is_empty() {
                h2 { (icon(Icon::Check)) "Everything is well" }
            } @else {
                h2 {
                    (icon(worst.icon()))
                    @if problems.len() == 1 { "One thing needs attention" }
                    @else { (problems.len()) " things need attention" }
                }
                ul {
                    @for problem in problems {
                        li {
                            (icon(problem.tone.icon()))
                            span { strong { (problem.about) } ": " (problem.text) }
                            @if let Some((label, url)) = &problem.link { a href=(url) { (label) } }
                        }
                    }
                }
            }
        }
    }
}

/// The minutes that have passed: the newest one goes on, and is not to be compared with them.
fn whole_minutes(overview: &Overview) -> &[MinuteCount] {
    let passed = |minute: &MinuteCount| time::before(overview.now, MINUTE) >= minute.from;
    let whole = overview.minutes.iter().take_while(|minute| passed(minute)).count();
    &overview.minutes[..whole]
}

/// The numbers that one looks at first.
fn figures(overview: &Overview) -> Markup {
    let total: u64 = overview.minutes.iter().map(|minute| minute.events).sum();
    let last = whole_minutes(overview).last().map_or(0, |minute| minute.events);
    let dead: u64 = overview.destinations.iter().filter_map(|one| one.dead_lettered).sum();
    let last_event = overview.sources.iter().filter_map(|source| source.last_event_at).max();
    html! {
        dl.figures {
            (figure("Events, last whole minute", &html! { (number::count(last)) },
                &html! { (number::count(total)) " in the last hour" }))
            @if let Some(latency) = overview.ack_latency {
                (figure("Ack latency, p50", &html! { (number::milliseconds(latency.p50_ms)) },
                    &html! { "p99 " (number::milliseconds(latency.p99_ms)) }))
            } @else {
                (figure("Ack latency, p50", &html! { "–" }, &html! { "no event since the start" }))
            }
            (figure("Last event", &html! {
                @if let Some(at) = last_event { (time::ago(at, overview.now)) } @else { "never" }
            }, &html! { "number " (number::count(overview.head.unsigned_abs())) " in the log" }))
            (dead_letters(dead, "/dashboard/dead-letters", "nothing failed permanently"))
            (figure("Duplicates", &html! { (number::count(overview.duplicates)) },
                &html! { "acknowledged, stored once" }))
        }
    }
}
