//! What came of a simulation, as `--json` has it.

use std::collections::BTreeMap;

use deskbell_devtools::{Probe, ProbeResult};
use deskbell_sim::Report;
use schemars::JsonSchema;
use serde::Serialize;

use super::show::{SHOWN_MAX, differences};
use crate::simulate::{
    Comparison, Outcome, Simulation, TableComparison, Verdict, described, properties,
};
use crate::simulate::{Property, PropertyResult};

/// One simulation.
#[derive(Serialize, JsonSchema)]
pub(in crate::cli) struct SimulationOutput<'a> {
    seed: u64,
    /// Events, each counted once.
    sent: u64,
    /// Events that were sent twice, or to a second endpoint.
    duplicates: u64,
    /// Events that were sent once more at the end.
    replays: u64,
    /// Attempts after a failed one.
    retries: u64,
    acked: u64,
    /// Events that were never acknowledged and are given up.
    unacked: usize,
    unacked_first: Vec<UnackedOutput<'a>>,
    /// Deliveries, duplicates and replays included, that were given up.
    given_up: u64,
    failures: Vec<FailureOutput>,
    acked_per_second: f64,
    ack_ms_p50: f64,
    ack_ms_p99: f64,
    elapsed_seconds: f64,
    interrupted: bool,
    /// How the handler took what it must refuse; empty with `--no-probes`.
    probes: Vec<ProbeOutput>,
    /// Entities of the mirror that differ; null without `--mirror`.
    drift: Option<usize>,
    /// Entities that were not compared, because an event about them may have arrived or not.
    unsettled: Option<usize>,
    /// From the last acknowledgement to the last change of the mirror that was seen.
    caught_up_seconds: Option<f64>,
    tables: Option<BTreeMap<&'static str, TableOutput>>,
    /// The first differences, in words.
    differences: Option<Vec<String>>,
    /// What was tested, and whether it held.
    properties: Vec<PropertyOutput>,
    /// A sentence for each thing that is wrong.
    findings: &'a [String],
}

#[derive(Serialize, JsonSchema)]
struct UnackedOutput<'a> {
    message_id: &'a str,
    /// Why the last attempt failed.
    last_failure: String,
}

#[derive(Serialize, JsonSchema)]
struct FailureOutput {
    failure: String,
    attempts: u64,
}

#[derive(Serialize, JsonSchema)]
struct ProbeOutput {
    probe: Probe,
    /// Null where there was no answer.
    status: Option<u16>,
    /// Null where there was no answer.
    refused: Option<bool>,
}

#[derive(Serialize, JsonSchema)]
struct TableOutput {
    expected: usize,
    found: usize,
    missing: usize,
    extra: usize,
    wrong: usize,
}

#[derive(Serialize, JsonSchema)]
struct PropertyOutput {
    name: String,
    result: ResultOutput,
    /// What is wrong, or why it was not tested.
    detail: Option<String>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum ResultOutput {
    Held,
    Failed,
    Skipped,
}

/// Prints one object.
pub(super) fn print(simulation: &Simulation, outcome: &Outcome, verdict: Option<&Verdict>) {
    let Outcome { probes, report, replays, failures, comparison, interrupted } = outcome;
    let comparison = comparison.as_ref();
    let replays = replays.as_ref().map_or((0, 0), |again| (again.sent, again.given_up));
    let by_frequency = failures.by_frequency().into_iter();
    let output = SimulationOutput {
        seed: simulation.scenario.seed,
        sent: report.sent,
        duplicates: report.duplicates,
        replays: replays.0,
        retries: report.retries,
        acked: report.acked,
        unacked: report.unacked.len(),
        unacked_first: unacked(report, outcome),
        given_up: report.given_up + replays.1,
        failures: by_frequency
            .map(|(kind, attempts)| FailureOutput { failure: described(kind, failures), attempts })
            .collect(),
        acked_per_second: report.acked_per_second,
        ack_ms_p50: report.ack_ms_p50,
        ack_ms_p99: report.ack_ms_p99,
        elapsed_seconds: report.elapsed.as_secs_f64(),
        interrupted: *interrupted,
        probes: probes.iter().map(|&(probe, result)| ProbeOutput::new(probe, result)).collect(),
        drift: comparison.map(|comparison| comparison.drift.len()),
        unsettled: comparison.map(|comparison| comparison.unsettled),
        caught_up_seconds: comparison.map(|comparison| comparison.caught_up.as_secs_f64()),
        tables: comparison.map(tables),
        differences: comparison.map(differences),
        properties: properties(simulation, outcome).into_iter().map(PropertyOutput::from).collect(),
        findings: verdict.map_or(&[][..], Verdict::findings),
    };
    outln!("{}", serde_json::json!(output));
}

fn unacked<'a>(report: &'a Report, outcome: &Outcome) -> Vec<UnackedOutput<'a>> {
    let unacked = report.unacked.iter().zip(&report.last_failures).take(SHOWN_MAX);
    unacked
        .map(|(message_id, why)| UnackedOutput {
            message_id,
            last_failure: described(why, &outcome.failures),
        })
        .collect()
}

fn tables(comparison: &Comparison) -> BTreeMap<&'static str, TableOutput> {
    let tables = comparison.tables.iter();
    tables
        .map(|&TableComparison { table, expected, found, missing, extra, wrong }| {
            (table, TableOutput { expected, found, missing, extra, wrong })
        })
        .collect()
}

impl ProbeOutput {
    fn new(probe: Probe, result: ProbeResult) -> Self {
        let (status, refused) = match result {
            ProbeResult::Refused(status) => (Some(status), Some(true)),
            ProbeResult::Accepted(status) => (Some(status), Some(false)),
            ProbeResult::NoReply => (None, None),
        };
        Self { probe, status, refused }
    }
}

impl From<Property> for PropertyOutput {
    fn from(Property { name, result }: Property) -> Self {
        let (result, detail) = match result {
            PropertyResult::Held => (ResultOutput::Held, None),
            PropertyResult::Failed(why) => (ResultOutput::Failed, Some(why)),
            PropertyResult::Skipped(why) => (ResultOutput::Skipped, Some(why.to_owned())),
        };
        Self { name, result, detail }
    }
}
