//! What came of the trials: a line each, and the table in the documentation.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::FaultError;
use crate::fault::Fault;

/// Between these lines of the document stands the table.
const BEGIN: &str = "<!-- results: begin -->";
const END: &str = "<!-- results: end -->";

/// What came of a trial.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) fault: Fault,
    pub(crate) seed: u64,
    /// To whom it was done and for how long.
    pub(crate) what: String,
    pub(crate) acked: u64,
    pub(crate) duplicates: u64,
    pub(crate) retries: u64,
    pub(crate) redeliveries: usize,
    pub(crate) dead_lettered: usize,
    /// From the end of the fault until what had come before was mirrored and attempted.
    pub(crate) recovered: Option<Duration>,
    pub(crate) wrong: Vec<String>,
    /// Where the logs are, if something was wrong.
    pub(crate) directory: PathBuf,
}

impl Outcome {
    /// A line, and where something was wrong one more for each such thing.
    pub(crate) fn line(&self) -> String {
        let Self { seed, what, acked, duplicates, retries, redeliveries, dead_lettered, .. } = self;
        let verdict = if self.wrong.is_empty() { "ok" } else { "FAILED" };
        let mut line = format!(
            "seed {seed}  {:17} {what}: acked {acked}, duplicates {duplicates}, retries {retries}, \
             redeliveries {redeliveries}, dead letters {dead_lettered}, recovered in {}: {verdict}",
            self.fault.name(),
            seconds(self.recovered)
        );
        for wrong in &self.wrong {
            // Writing into a text cannot fail.
            let _ = write!(line, "\n    {wrong}");
        }
        if !self.wrong.is_empty() {
            let _ = write!(line, "\n    logs: {}", self.directory.display());
        }
        line
    }
}

/// Writes the table of all outcomes between the markers of the document.
pub(crate) fn publish(document: &Path, outcomes: &[Outcome]) -> Result<(), FaultError> {
    let text = fs::read_to_string(document)?;
    let missing = |marker| FaultError::NoMarker { file: document.display().to_string(), marker };
    let (before, rest) = text.split_once(BEGIN).ok_or_else(|| missing(BEGIN))?;
    let (_, after) = rest.split_once(END).ok_or_else(|| missing(END))?;
    let new = format!("{before}{BEGIN}\n{}{END}{after}", table(outcomes));
    Ok(fs::write(document, new)?)
}

/// A row a fault: the sums of its trials, and the longest time to recover.
fn table(outcomes: &[Outcome]) -> String {
    let mut table = String::from(
        "| fault | what happens | trials | events acked | duplicates | retries | redeliveries | \
         slowest recovery | result |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n",
    );
    for &fault in Fault::all() {
        let trials: Vec<&Outcome> =
            outcomes.iter().filter(|outcome| outcome.fault == fault).collect();
        if trials.is_empty() {
            continue;
        }
        let sum = |count: fn(&Outcome) -> u64| trials.iter().map(|trial| count(trial)).sum::<u64>();
        let failed: Vec<String> = trials
            .iter()
            .filter(|trial| !trial.wrong.is_empty())
            .map(|trial| trial.seed.to_string())
            .collect();
        let result = match failed.as_slice() {
            [] => "ok".to_owned(),
            seeds => format!("FAILED (seed {})", seeds.join(", ")),
        };
        let slowest = trials.iter().filter_map(|trial| trial.recovered).max();
        let _ = writeln!(
            table,
            "| `{}` | {} | {} | {} | {} | {} | {} | {} | {result} |",
            fault.name(),
            fault.sentence(),
            trials.len(),
            sum(|trial| trial.acked),
            sum(|trial| trial.duplicates),
            sum(|trial| trial.retries),
            sum(|trial| u64::try_from(trial.redeliveries).unwrap_or(u64::MAX)),
            seconds(slowest),
        );
    }
    table
}

fn seconds(duration: Option<Duration>) -> String {
    duration.map_or_else(|| "–".to_owned(), |duration| format!("{:.1} s", duration.as_secs_f64()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(fault: Fault, seed: u64, wrong: &[&str]) -> Outcome {
        Outcome {
            fault,
            seed,
            what: "replica-1, away for 1.0 s".to_owned(),
            acked: 1000,
            duplicates: 50,
            retries: 7,
            redeliveries: 3,
            dead_lettered: 0,
            recovered: Some(Duration::from_millis(1500 * seed)),
            wrong: wrong.iter().map(|&wrong| wrong.to_owned()).collect(),
            directory: PathBuf::from("target/faults/kill_1"),
        }
    }

    #[test]
    fn a_line_says_what_was_wrong_and_where_the_logs_are() {
        let line = outcome(Fault::Kill, 1, &[]).line();
        assert!(line.starts_with("seed 1  kill") && line.ends_with("in 1.5 s: ok"), "{line}");
        let line = outcome(Fault::Kill, 1, &["2 events were lost"]).line();
        assert!(line.contains(": FAILED\n    2 events were lost\n    logs: target/"), "{line}");
    }

    #[test]
    fn the_table_stands_between_its_markers_and_names_the_seeds_that_failed() {
        let directory = tempfile::tempdir().unwrap();
        let document = directory.path().join("reliability.md");
        fs::write(&document, format!("before\n{BEGIN}\nold\n{END}\nafter\n")).unwrap();
        let outcomes = [
            outcome(Fault::Kill, 1, &[]),
            outcome(Fault::Kill, 2, &[]),
            outcome(Fault::Cut, 3, &["x"]),
        ];
        publish(&document, &outcomes).unwrap();
        let text = fs::read_to_string(&document).unwrap();
        assert!(text.starts_with("before\n") && text.ends_with("\nafter\n"), "{text}");
        assert!(!text.contains("old"), "{text}");
        assert!(text.contains("| 2 | 2000 | 100 | 14 | 6 | 3.0 s | ok |"), "{text}");
        assert!(text.contains("FAILED (seed 3)"), "{text}");
        fs::write(&document, "nothing").unwrap();
        assert!(matches!(publish(&document, &outcomes), Err(FaultError::NoMarker { .. })));
    }
}
