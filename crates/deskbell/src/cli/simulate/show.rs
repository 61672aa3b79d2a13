//! What came of a simulation, as text and as JSON.

use deskbell_delivery::one_line;
use serde_json::json;

use crate::cli::table;
use crate::simulate::{Comparison, Outcome, Simulation, TableComparison, Verdict, described};

/// How many unacknowledged events, and how many differences, are shown where there are any.
const SHOWN_MAX: usize = 10;

/// Prints one object.
pub(super) fn json(simulation: &Simulation, outcome: &Outcome, verdict: Option<&Verdict>) {
    let Outcome { report, replays, failures, comparison, interrupted } = outcome;
    let unacked = report.unacked.iter().zip(&report.last_failures).take(SHOWN_MAX);
    let unacked: Vec<_> = unacked
        .map(|(id, why)| json!({ "message_id": id, "last_failure": described(why, failures) }))
        .collect();
    let kinds: Vec<_> = failures
        .by_frequency()
        .into_iter()
        .map(|(kind, times)| json!({ "failure": described(kind, failures), "attempts": times }))
        .collect();
    outln!(
        "{}",
        json!({
            "seed": simulation.scenario.seed,
            "sent": report.sent,
            "duplicates": report.duplicates,
            "replays": replays.as_ref().map_or(0, |replays| replays.sent),
            "retries": report.retries,
            "acked": report.acked,
            "unacked": report.unacked.len(),
            "unacked_first": unacked,
            "given_up": report.given_up + replays.as_ref().map_or(0, |replays| replays.given_up),
            "failures": kinds,
            "acked_per_second": report.acked_per_second,
            "ack_ms_p50": report.ack_ms_p50,
            "ack_ms_p99": report.ack_ms_p99,
            "elapsed_seconds": report.elapsed.as_secs_f64(),
            "interrupted": interrupted,
            "drift": comparison.as_ref().map(|comparison| comparison.drift.len()),
            "unsettled": comparison.as_ref().map(|comparison| comparison.unsettled),
            "caught_up_seconds": comparison.as_ref().map(|found| found.caught_up.as_secs_f64()),
            "tables": comparison.as_ref().map(tables),
            "differences": comparison.as_ref().map(differences),
            "findings": verdict.map_or(&[][..], Verdict::findings),
        })
    );
}

fn tables(comparison: &Comparison) -> serde_json::Value {
    let tables = comparison.tables.iter().map(|one| {
        let TableComparison { table, expected, found, missing, extra, wrong } = one;
        let counts = json!({
            "expected": expected,
            "found": found,
            "missing": missing,
            "extra": extra,
            "wrong": wrong,
        });
        ((*table).to_owned(), counts)
    });
    tables.collect::<serde_json::Map<_, _>>().into()
}

fn differences(comparison: &Comparison) -> Vec<String> {
    comparison.drift.iter().take(SHOWN_MAX).map(ToString::to_string).collect()
}

/// Prints it for people.
pub(super) fn text(simulation: &Simulation, outcome: &Outcome) {
    let Outcome { report, replays, failures, comparison, .. } = outcome;
    outln!("events sent            {:>10}   seed {}", report.sent, simulation.scenario.seed);
    outln!("sent again             {:>10}   duplicates, with the same id", report.duplicates);
    if let Some(replays) = replays {
        outln!("replayed at the end    {:>10}   with the same id", replays.sent);
    }
    outln!("retries                {:>10}   attempts after a failed one", report.retries);
    outln!("acknowledged           {:>10}   answered with 2xx", report.acked);
    outln!("never acknowledged     {:>10}", report.unacked.len());
    if report.stopped {
        let under_way = report.open.len().saturating_sub(report.unacked.len());
        outln!("still in flight        {under_way:>10}   when the run ended");
    }
    outln!("acks per second        {:>10.0}", report.acked_per_second);
    outln!("ack latency, p50       {:>10.1} ms", report.ack_ms_p50);
    outln!("ack latency, p99       {:>10.1} ms", report.ack_ms_p99);
    if !failures.is_empty() {
        outln!();
        let kinds = failures.by_frequency().into_iter().take(SHOWN_MAX);
        let rows = kinds.map(|(kind, times)| [times.to_string(), described(kind, failures)]);
        table::print(["ATTEMPTS", "FAILURE"], rows);
    }
    if !report.unacked.is_empty() {
        outln!();
        let unacked = report.unacked.iter().zip(&report.last_failures).take(SHOWN_MAX);
        let rows = unacked.map(|(id, why)| [id.clone(), described(why, failures)]);
        table::print(["NEVER ACKNOWLEDGED", "LAST ATTEMPT"], rows);
        and_more(report.unacked.len());
    }
    if let Some(comparison) = comparison {
        outln!();
        comparison_text(comparison);
    }
}

fn comparison_text(comparison: &Comparison) {
    let rows = comparison.tables.iter().map(|one| {
        let counts = [one.expected, one.found, one.missing, one.extra, one.wrong];
        let [expected, found, missing, extra, wrong] = counts.map(|count| count.to_string());
        [one.table.to_owned(), expected, found, missing, extra, wrong]
    });
    table::print(["TABLE", "EXPECTED", "FOUND", "MISSING", "EXTRA", "WRONG"], rows);
    outln!();
    outln!(
        "drift                  {:>10}   entities of the mirror that differ from what was sent",
        comparison.drift.len()
    );
    for difference in differences(comparison) {
        outln!("  {}", one_line(&difference));
    }
    and_more(comparison.drift.len());
    outln!(
        "caught up after        {:>10.1} s   from the last acknowledgement",
        comparison.caught_up.as_secs_f64()
    );
    if comparison.unsettled > 0 {
        outln!(
            "not compared           {:>10}   entities of events that may or may not have arrived",
            comparison.unsettled
        );
    }
}

fn and_more(count: usize) {
    if count > SHOWN_MAX {
        outln!("  and {} more", count - SHOWN_MAX);
    }
}
