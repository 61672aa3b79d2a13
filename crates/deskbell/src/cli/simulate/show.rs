//! What came of a simulation, as text and as JSON.

use deskbell_delivery::one_line;
use deskbell_devtools::ProbeResult;

use crate::cli::table;
use crate::simulate::{Comparison, Outcome, Simulation, described};

/// How many unacknowledged events, and how many differences, are shown where there are any.
pub(super) const SHOWN_MAX: usize = 10;

pub(super) fn differences(comparison: &Comparison) -> Vec<String> {
    comparison.drift.iter().take(SHOWN_MAX).map(ToString::to_string).collect()
}

/// Prints it for people.
pub(super) fn text(simulation: &Simulation, outcome: &Outcome) {
    let Outcome { probes, report, replays, failures, comparison, .. } = outcome;
    if !probes.is_empty() {
        let refused = probes.iter().filter(|(_, result)| matches!(result, ProbeResult::Refused(_)));
        let (refused, all) = (refused.count(), probes.len());
        outln!(
            "probes refused         {:>10}   forged, tampered, stale, unsigned",
            format!("{refused}/{all}")
        );
    }
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
