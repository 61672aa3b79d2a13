//! A destination's attempts over time.

use deskbell_admin::{AttemptPage, AttemptQuery, AttemptView, Caller, DestinationStats};
use maud::{Markup, html};

use crate::attempt;
use crate::chart::{Bar, Chart};
use crate::dashboard::Dashboard;
use crate::link;
use crate::number;
use crate::params::Params;
use crate::reply::Failure;
use crate::table::{
    Column::{Number, Text},
    cards, cell, empty,
};
use crate::time;

/// What can be looked at: the name in the address, in words, the number of bars, and what each is.
const RANGES: [(&str, &str, u32, &str); 3] = [
    ("1h", "Last hour", 60, "minute"),
    ("24h", "Last 24 hours", 48, "30 min"),
    ("7d", "Last 7 days", 84, "2 h"),
];
const RANGE: usize = 1;
const ATTEMPTS: u32 = 25;

pub(super) async fn chart(
    dashboard: &Dashboard,
    name: &str,
    params: &Params,
) -> Result<Markup, Failure> {
    let chosen = params.one("range").and_then(|one| RANGES.iter().find(|range| range.0 == one));
    let (range, words, buckets, per) = chosen.unwrap_or(&RANGES[RANGE]);
    let until = time::now();
    let since = time::before(until, time::parse_span(range).unwrap_or_default());
    let stats = dashboard.admin.destination_stats(name, since, until, *buckets).await?;
    Ok(html! {
        section.card {
            div.title {
                h2 { "Attempts" }
                nav.ranges aria-label="Time" {
                    @for (code, words, ..) in &RANGES {
                        a href=(link::with_query(&link::destination(name), [("range", *code)]))
                            aria-current=[(code == range).then_some("true")] { (words) }
                    }
                }
            }
            (bars(&stats, words, per))
        }
    })
}

fn bars(stats: &DestinationStats, words: &str, per: &str) -> Markup {
    let bars: Vec<_> = stats
        .buckets
        .iter()
        .map(|bucket| Bar { from: bucket.from, values: vec![bucket.delivered, bucket.failed] })
        .collect();
    let all = stats.delivered + stats.failed;
    let summary = format!(
        "Attempts, {}: {} delivered, {} failed",
        words.to_lowercase(),
        number::count(stats.delivered),
        number::count(stats.failed)
    );
    let chart = Chart {
        summary: &summary,
        series: &[("delivered", "s-good"), ("failed", "s-bad")],
        bars: &bars,
        per,
    };
    html! {
        @if all == 0 {
            p.muted { "No attempt in this time. Choose a longer one above." }
        } @else {
            p {
                strong { (number::count(stats.delivered)) } " delivered, "
                strong { (number::count(stats.failed)) } " failed"
                @if !stats.complete { span.muted { " · the newest attempts of this time only" } }
            }
            (chart.render())
        }
    }
}

/// The newest attempts; failed ones alone where the address says so.
pub(super) async fn attempts(
    dashboard: &Dashboard,
    caller: &Caller,
    name: &str,
    params: &Params,
) -> Result<Markup, Failure> {
    let failed = params.one("attempts") == Some("failed");
    let query = AttemptQuery {
        destination: Some(name.to_owned()),
        result: failed.then_some(deskbell_admin::AttemptResult::Failed),
        cursor: params.owned("cursor"),
        limit: ATTEMPTS,
        ..AttemptQuery::default()
    };
    let AttemptPage { attempts, next } = dashboard.admin.attempts(&query).await?;
    let attempts: Vec<_> = attempts.into_iter().map(|one| one.for_caller(caller)).collect();
    let path = link::destination(name);
    Ok(html! {
        section.card id="attempts" {
            div.title {
                h2 { "Newest attempts" }
                nav.ranges aria-label="Attempts" {
                    a href={ (path) "#attempts" } aria-current=[(!failed).then_some("true")] { "All" }
                    a href={ (link::with_query(&path, [("attempts", "failed")])) "#attempts" }
                        aria-current=[failed.then_some("true")] { "Failed" }
                }
            }
            (table(&attempts))
            @if let Some(next) = &next { (older(&path, failed, next)) }
        }
    })
}

fn older(path: &str, failed: bool, next: &str) -> Markup {
    let mut pairs = vec![("cursor", next)];
    pairs.extend(failed.then_some(("attempts", "failed")));
    html! { a.button href={ (link::with_query(path, pairs)) "#attempts" } { "Older attempts" } }
}

fn table(attempts: &[AttemptView]) -> Markup {
    let rows = html! {
        @for one in attempts {
            tr.link {
                (cell("Event", &html! {
                    a.cover href=(link::event(&one.source, &one.message_id)) { (one.event_type) }
                }))
                (cell("Attempt", &html! { (one.number) }))
                (cell("Result", &attempt::result(one)))
                (cell("Error", &html! { (one.error.as_deref().unwrap_or("–")) }))
                td.number data-label="Took" { (number::count(one.took_ms)) " ms" }
                td.number data-label="Started" { (time::moment(one.started_at)) }
            }
        }
    };
    html! {
        @if attempts.is_empty() {
            (empty("No attempts.", &html! { "They are listed when an event is sent to this destination." }))
        } @else {
            (cards("Attempts", &[Text("Event"), Text("Attempt"), Text("Result"), Text("Error"), Number("Took"), Number("Started")], &rows))
        }
    }
}
