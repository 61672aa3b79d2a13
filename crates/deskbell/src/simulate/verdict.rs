//! What was not as it must be, and what to do about it.

use std::fmt;

use deskbell_devtools::{Hint, Probe, ProbeResult, hint_of_failures};
use deskbell_sim::{Failure, Failures};
use miette::Diagnostic;

use super::{Outcome, Simulation};

const VERIFY: &str = "verify the signature over the raw body, with the endpoint's Signing Secret and a \
                      tolerance of five minutes, before anything else; --no-probes leaves these requests out";

/// A simulation that did not end well: a sentence for each thing that is wrong.
#[derive(Debug, thiserror::Error)]
pub(crate) struct Verdict {
    findings: Vec<String>,
    help: Option<String>,
}

impl Verdict {
    /// `None` where everything is well.
    pub(crate) fn of(simulation: &Simulation, outcome: &Outcome) -> Option<Self> {
        let Outcome { probes, report, replays, failures, comparison, interrupted } = outcome;
        let mut findings: Vec<_> =
            probes.iter().filter_map(|&(probe, result)| accepted(probe, result)).collect();
        let mut help = (!findings.is_empty()).then(|| VERIFY.to_owned());
        let hint = || hint(simulation, failures);
        let replays_given_up = replays.as_ref().map_or(0, |replays| replays.given_up);
        if report.acked == 0 && !failures.is_empty() {
            findings.push(nothing_acked(simulation, failures));
            help = help.or_else(hint);
        } else if !report.unacked.is_empty() {
            let (unacked, sent) = (report.unacked.len(), report.sent);
            let why = most_often(failures);
            findings.push(format!("{unacked} of {sent} events were never acknowledged; {why}"));
            help = help.or_else(hint);
        } else if report.given_up + replays_given_up > 0 {
            let (given_up, why) = (report.given_up + replays_given_up, most_often(failures));
            findings
                .push(format!("{given_up} duplicates of acknowledged events were rejected; {why}"));
            help = help.or_else(|| {
                Some(match simulation.sender.secrets.len() {
                    0 | 1 => {
                        "answer duplicates with 2xx too, or Clerk keeps sending them".to_owned()
                    }
                    _ => "during a rotation every event arrives once with each secret: does the \
                      handler accept all of them?"
                        .to_owned(),
                })
            });
        }
        if let Some(comparison) = comparison.as_ref().filter(|found| !found.drift.is_empty()) {
            findings.push(format!(
                "the mirror drifts: {} entities differ from what was sent",
                comparison.drift.len()
            ));
            help = help.or_else(|| {
                Some(
                    "it did not change during --settle: is this the mirror of this handler, in \
                      this --schema, and does it mirror users, organizations and memberships?"
                        .to_owned(),
                )
            });
        }
        if *interrupted {
            findings.push("interrupted".to_owned());
        }
        (!findings.is_empty()).then_some(Self { findings, help })
    }

    /// One sentence for each thing that is wrong.
    pub(crate) fn findings(&self) -> &[String] {
        &self.findings
    }
}

fn nothing_acked(simulation: &Simulation, failures: &Failures) -> String {
    let url = simulation.url.expose_secrets();
    let host = url.host_str().unwrap_or_default();
    let port = url.port_or_known_default().unwrap_or_default();
    match &failures.by_frequency()[..] {
        [(Failure::Refused, times)] => {
            format!("nothing listens on {host}:{port}: all {times} attempts were refused")
        }
        _ => format!("no event was ever acknowledged; {}", most_often(failures)),
    }
}

/// How most attempts failed, in the handler's own words where it had any.
pub(crate) fn most_often(failures: &Failures) -> String {
    match failures.by_frequency().first() {
        Some((failure, times)) => {
            format!("most often ({times} times) {}", described(failure, failures))
        }
        None => "no attempt was answered".to_owned(),
    }
}

/// The failure, with what the first answer of its kind said.
pub(crate) fn described(failure: &Failure, failures: &Failures) -> String {
    match failures.sample(failure) {
        "" => failure.to_string(),
        sample => format!("{failure}: {sample}"),
    }
}

/// What the most frequent failure means, in the words of `trigger` and `listen`.
fn hint(simulation: &Simulation, failures: &Failures) -> Option<String> {
    let Hint { help, .. } = hint_of_failures(failures, simulation.url.expose_secrets())?;
    Some(help)
}

fn accepted(probe: Probe, result: ProbeResult) -> Option<String> {
    match result {
        ProbeResult::Accepted(status) => Some(format!(
            "the handler accepted what it must refuse: {} was answered with {status}",
            probe.description()
        )),
        ProbeResult::Refused(_) | ProbeResult::NoReply => None,
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.findings.join("; and "))
    }
}

impl Diagnostic for Verdict {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }
}
