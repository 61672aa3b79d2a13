//! Questions on a terminal: on stderr, with the answer on stdin.

use std::io::{self, BufRead, IsTerminal, Write};

use super::super::output;
use super::error::Error;

/// Asks, if somebody is there to answer.
#[derive(Debug)]
pub(super) struct Prompt {
    is_interactive: bool,
}

impl Prompt {
    pub(super) fn new(is_silent: bool) -> Self {
        let is_terminal = io::stdin().is_terminal() && io::stderr().is_terminal();
        Self { is_interactive: is_terminal && !is_silent }
    }

    /// Whether somebody is there to answer.
    pub(super) fn is_interactive(&self) -> bool {
        self.is_interactive
    }

    /// The answer; `None` where nobody is asked.
    pub(super) fn ask(&self, question: &str, default: &str) -> Result<Option<String>, Error> {
        if !self.is_interactive {
            return Ok(None);
        }
        let hint = if default.is_empty() { String::new() } else { format!(" [{default}]") };
        let mut stderr = output::stderr();
        let shown = write!(stderr, "{question}{hint}: ").and_then(|()| stderr.flush());
        shown.map_err(Error::Read)?;
        let mut line = String::new();
        if io::stdin().lock().read_line(&mut line).map_err(Error::Read)? == 0 {
            errln!();
            return Err(Error::NoAnswer);
        }
        let answer = line.trim();
        Ok(Some(if answer.is_empty() { default } else { answer }.to_owned()))
    }

    /// Whether the answer is yes; where nobody is asked, it is the default.
    pub(super) fn confirm(&self, question: &str, default: bool) -> Result<bool, Error> {
        let shown = if default { "yes" } else { "no" };
        let answer = self.ask(&format!("{question} (yes or no)"), shown)?;
        Ok(answer.map_or(default, |answer| answer.to_lowercase().starts_with('y')))
    }

    /// Says something that only matters for the answers.
    pub(super) fn say(&self, line: &str) {
        if self.is_interactive {
            errln!("{line}");
        }
    }
}
