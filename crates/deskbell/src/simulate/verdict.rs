//! What was not as it must be, and what to do about it.

use std::fmt;

use deskbell_sim::{Failure, Failures};
use miette::Diagnostic;

use super::{Outcome, Simulation};

/// A simulation that did not end well: a sentence for each thing that is wrong.
#[derive(Debug, thiserror::Error)]
pub(crate) struct Verdict {
    findings: Vec<String>,
    help: Option<String>,
}

impl Verdict {
    /// `None` where everything is well.
    pub(crate) fn of(simulation: &Simulation, outcome: &Outcome) -> Option<Self> {
        let Outcome { report, replays, failures, comparison, interrupted } = outcome;
        let mut findings = Vec::new();
        let mut help = None;
        let replays_given_up = replays.as_ref().map_or(0, |replays| replays.given_up);
        if report.acked == 0 && report.given_up > 0 {
            findings.push(nothing_acked(simulation, failures));
            help = hint(failures);
        } else if !report.unacked.is_empty() {
            let (unacked, sent) = (report.unacked.len(), report.sent);
            let why = most_often(failures);
            findings.push(format!("{unacked} of {sent} events were never acknowledged; {why}"));
            help = hint(failures);
        } else if report.given_up + replays_given_up > 0 {
            let (given_up, why) = (report.given_up + replays_given_up, most_often(failures));
            findings
                .push(format!("{given_up} duplicates of acknowledged events were rejected; {why}"));
            help = Some(match simulation.sender.secrets.len() {
                0 | 1 => "answer duplicates with 2xx too, or Clerk keeps sending them".to_owned(),
                _ => "during a rotation every event arrives once with each secret: does the \
                      handler accept all of them?"
                    .to_owned(),
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
                      this --schema, and does it mirror all three entities?"
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

fn hint(failures: &Failures) -> Option<String> {
    let (failure, _) = *failures.by_frequency().first()?;
    let hint = match failure {
        Failure::Refused => "start the handler, or correct --url",
        Failure::NotConnected(_) => "correct the host of --url",
        Failure::TimedOut => "Clerk's sender waits 15 s for a reply: reply first, then do the work",
        Failure::Broken => "check that the scheme of --url, http or https, is that of the handler",
        Failure::Status(400 | 401 | 403) => {
            "check that the handler uses the secret of --secret, and that its clock is right"
        }
        Failure::Status(404 | 405) => "check that the path of --url accepts webhooks by POST",
        Failure::Status(300..=399) => {
            "Clerk does not follow redirects: use the URL that it redirects to"
        }
        Failure::Status(_) => return None,
    };
    Some(hint.to_owned())
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
