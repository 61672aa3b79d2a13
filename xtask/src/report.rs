//! The end of a test run: the runner's closing lines, what was not run, and one plain line of counts.

use std::process::ExitCode;

/// Something that could not be run here, and the package that would make it run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NotRun {
    pub(crate) what: String,
    pub(crate) install: String,
}

/// What a run has come to so far.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) closing_lines: Vec<String>,
    pub(crate) not_run: Vec<NotRun>,
    /// What takes long, and runs only with `--all`.
    pub(crate) only_with_all: Vec<&'static str>,
    pub(crate) failed_step: Option<String>,
}

impl Report {
    /// Prints the end of the run. Failed are a run with a failed step, and in CI one that left something out.
    pub(crate) fn finish(&self, is_ci: bool) -> ExitCode {
        let incomplete = is_ci && !self.not_run.is_empty();
        print!("{}", self.text(is_ci));
        if self.failed_step.is_some() || incomplete { ExitCode::FAILURE } else { ExitCode::SUCCESS }
    }

    fn text(&self, is_ci: bool) -> String {
        let mut text = String::from("\n=== Result\n");
        if !self.only_with_all.is_empty() {
            text += "ONLY WITH cargo xtask test --all\n";
            for what in &self.only_with_all {
                text += &format!("  {what}\n");
            }
        }
        if !self.not_run.is_empty() {
            text += "NOT RUN\n";
            for NotRun { what, install } in &self.not_run {
                text += &format!("  {what}: {install}\n");
            }
            if is_ci {
                text += "CI=true: what is not run counts as failed\n";
            }
        }
        if let Some(command) = &self.failed_step {
            text += &format!("FAILED; to repeat the step:\n  {command}\n");
        }
        for line in &self.closing_lines {
            text += &format!("{line}\n");
        }
        let (passed, failed) = self.counts();
        text + &format!("{passed} passed, {failed} failed\n")
    }

    fn counts(&self) -> (u64, u64) {
        let count = |label| self.closing_lines.iter().map(|line| number_before(line, label)).sum();
        (count("passed"), count("failed"))
    }
}

/// The number that stands before a label: 14 in `15 tests run: 14 passed, 1 failed`.
fn number_before(line: &str, label: &str) -> u64 {
    let words: Vec<&str> =
        line.split([' ', ',', ';', ':', '(', ')']).filter(|w| !w.is_empty()).collect();
    let found = words.windows(2).find(|pair| pair[1] == label);
    found.and_then(|pair| pair[0].parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_read_from_both_runners() {
        for (line, passed, failed) in [
            ("     Summary [  35.471s] 15 tests run: 14 passed, 1 failed, 2 skipped", 14, 1),
            ("     Summary [ 0.2s] 3 tests run: 3 passed (1 slow), 0 skipped", 3, 0),
            ("     Summary [ 9.0s] 8/9 tests run: 6 passed, 1 failed, 1 timed out", 6, 1),
            ("test result: ok. 23 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out", 23, 0),
        ] {
            let report = Report { closing_lines: vec![line.to_owned()], ..Report::default() };
            assert_eq!(report.counts(), (passed, failed), "{line}");
        }
    }

    #[test]
    fn the_text_ends_with_the_counts_and_names_what_was_not_run() {
        let report = Report {
            closing_lines: vec!["test result: ok. 2 passed; 0 failed".to_owned()],
            not_run: vec![NotRun { what: "interop".to_owned(), install: "nodejs".to_owned() }],
            only_with_all: vec!["the crate svix"],
            failed_step: Some("cargo doc".to_owned()),
        };
        let text = report.text(true);
        assert!(
            text.ends_with("test result: ok. 2 passed; 0 failed\n2 passed, 0 failed\n"),
            "{text}"
        );
        assert!(text.contains("ONLY WITH cargo xtask test --all\n  the crate svix\n"), "{text}");
        assert!(text.contains("NOT RUN\n  interop: nodejs\nCI=true"), "{text}");
        assert!(text.contains("to repeat the step:\n  cargo doc\n"), "{text}");
        assert!(!report.text(false).contains("CI=true"));
    }
}
