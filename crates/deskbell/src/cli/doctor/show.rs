//! The report as text: a line for each check, and what to do where it failed.

use std::io::IsTerminal;

use deskbell_devtools::doctor::{Check, NOT_CHECKED, Report, Status};

use crate::config::Environment;

/// Columns that the name of a check has.
const NAME_WIDTH: usize = 45;

/// How the marks are shown.
#[derive(Debug, Clone, Copy)]
pub(super) enum Marks {
    Plain,
    Coloured,
}

impl Marks {
    /// Coloured on a terminal, unless `NO_COLOR` is set.
    pub(super) fn of_stdout(environment: &Environment) -> Self {
        let is_wanted = environment.of_process("NO_COLOR").is_none();
        if is_wanted && std::io::stdout().is_terminal() { Self::Coloured } else { Self::Plain }
    }

    fn of(self, status: Status) -> String {
        let (mark, colour) = match status {
            Status::Pass => ("✓", 32),
            Status::Warn => ("!", 33),
            Status::Fail => ("✗", 31),
            Status::Skipped => ("-", 90),
        };
        match self {
            Self::Plain => mark.to_owned(),
            Self::Coloured => format!("\u{1b}[{colour}m{mark}\u{1b}[0m"),
        }
    }
}

pub(super) fn text(report: &Report, marks: Marks) {
    if let Some(url) = &report.url {
        outln!("{url}");
        outln!();
    }
    let is_left_out = |check: &&Check| check.found == NOT_CHECKED;
    for check in report.checks.iter().filter(|check| !is_left_out(check)) {
        line(check, marks);
    }
    let left_out = report.checks.iter().filter(is_left_out).count();
    if left_out > 0 {
        outln!("{} {left_out} checks: {NOT_CHECKED}", marks.of(Status::Skipped));
    }
    let summary = &report.summary;
    outln!();
    outln!(
        "{} failed, {} warned, {} passed, {} not checked",
        summary.fail,
        summary.warn,
        summary.pass,
        summary.skipped
    );
}

fn line(check: &Check, marks: Marks) {
    let mark = marks.of(check.status);
    let found = one_line(&check.found);
    outln!("{mark} {:NAME_WIDTH$} {found}", check.name);
    if matches!(check.status, Status::Pass | Status::Skipped) {
        return;
    }
    outln!("    why  {}", check.why);
    if let Some(help) = &check.help {
        let mut lines = help.lines();
        outln!("    fix  {}", lines.next().unwrap_or_default());
        for more in lines {
            outln!("         {more}");
        }
    }
}

/// A handler's words are shown as they are, but for what moves a terminal's cursor.
fn one_line(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
}
