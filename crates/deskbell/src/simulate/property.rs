//! What a simulation tests, one property after the other.

use deskbell_devtools::{Probe, ProbeResult};

use super::verdict::most_often;
use super::{Outcome, Simulation, TableComparison};

/// How many differences of a table are named.
const DIFFERENCES_SHOWN_MAX: usize = 10;

/// Something that must hold of a handler, and whether it did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Property {
    pub(crate) name: String,
    pub(crate) result: PropertyResult,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PropertyResult {
    Held,
    Failed(String),
    /// It could not be tested, for this reason.
    Skipped(&'static str),
}

/// Everything that was tested, in order.
pub(crate) fn properties(simulation: &Simulation, outcome: &Outcome) -> Vec<Property> {
    let mut properties: Vec<_> =
        outcome.probes.iter().map(|&(probe, result)| refused(probe, result)).collect();
    properties.push(acknowledged(outcome));
    let duplicates = outcome.report.given_up + given_up_replays(outcome);
    let again = outcome.report.duplicates + outcome.replays.as_ref().map_or(0, |again| again.sent);
    let is_acked = outcome.report.unacked.is_empty();
    properties.push(Property {
        name: "duplicates are acknowledged".to_owned(),
        result: match (again, duplicates) {
            (0, _) => PropertyResult::Skipped("none was sent"),
            (_, 0) => PropertyResult::Held,
            (..) if !is_acked => PropertyResult::Skipped("events were not acknowledged either"),
            (_, rejected) => PropertyResult::Failed(format!(
                "{rejected} were rejected; {}",
                most_often(&outcome.failures)
            )),
        },
    });
    if simulation.mirror.is_some() {
        properties.extend(mirrored(outcome));
    }
    properties
}

fn refused(probe: Probe, result: ProbeResult) -> Property {
    Property {
        name: format!("refuses {}", probe.description()),
        result: match result {
            ProbeResult::Refused(_) => PropertyResult::Held,
            ProbeResult::NoReply => PropertyResult::Skipped("there was no answer"),
            ProbeResult::Accepted(status) => {
                PropertyResult::Failed(format!("it was answered with {status}"))
            }
        },
    }
}

fn acknowledged(outcome: &Outcome) -> Property {
    let (report, failures) = (&outcome.report, &outcome.failures);
    let missing = report.open.len();
    let result = if missing > 0 {
        let (sent, why) = (report.sent, most_often(failures));
        PropertyResult::Failed(format!("{missing} of {sent} were not acknowledged; {why}"))
    } else if outcome.interrupted {
        PropertyResult::Failed("the run was interrupted".to_owned())
    } else {
        PropertyResult::Held
    };
    Property { name: "every event is acknowledged".to_owned(), result }
}

fn given_up_replays(outcome: &Outcome) -> u64 {
    outcome.replays.as_ref().map_or(0, |replays| replays.given_up)
}

/// One property a table of the mirror.
fn mirrored(outcome: &Outcome) -> Vec<Property> {
    let Some(comparison) = &outcome.comparison else { return Vec::new() };
    let of_table = |one: &TableComparison| {
        let TableComparison { table, missing, extra, wrong, .. } = one;
        let differences: Vec<_> = comparison
            .drift
            .iter()
            .filter(|difference| difference.table == *table)
            .take(DIFFERENCES_SHOWN_MAX)
            .map(ToString::to_string)
            .collect();
        Property {
            name: format!("the mirror's {table} are what was sent"),
            result: if missing + extra + wrong == 0 {
                PropertyResult::Held
            } else {
                PropertyResult::Failed(format!(
                    "{missing} missing, {extra} extra, {wrong} wrong:\n{}",
                    differences.join("\n")
                ))
            },
        }
    };
    comparison.tables.iter().map(of_table).collect()
}
