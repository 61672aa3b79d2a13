//! One step of a command: a program that must succeed, shown with a heading and its time.

use std::fmt;
use std::io::{self, BufRead, BufReader, IsTerminal, Read, Write};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Instant;

use crate::{environment, workspace};

/// A program to run at the workspace's root.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub(crate) heading: &'static str,
    pub(crate) program: String,
    pub(crate) args: Vec<String>,
    pub(crate) env: Vec<(&'static str, String)>,
    /// Variables of this run alone, and so no part of what one would type.
    for_this_run: Vec<(&'static str, String)>,
}

#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) success: bool,
    /// The lines that a test runner closed with, without colours.
    pub(crate) closing_lines: Vec<String>,
}

impl Step {
    pub(crate) fn new(heading: &'static str, program: &str, args: &[&str]) -> Self {
        let args = args.iter().map(|&arg| arg.to_owned()).collect();
        Self {
            heading,
            program: program.to_owned(),
            args,
            env: Vec::new(),
            for_this_run: Vec::new(),
        }
    }

    pub(crate) fn args(mut self, args: &[String]) -> Self {
        self.args.extend_from_slice(args);
        self
    }

    pub(crate) fn env(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.env.push((name, value.into()));
        self
    }

    pub(crate) fn for_this_run(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.for_this_run.push((name, value.into()));
        self
    }

    /// Runs the program, passing its output through, and keeps the lines that a test runner closes with.
    ///
    /// # Errors
    /// When the program cannot be started.
    pub(crate) fn run(&self) -> io::Result<Outcome> {
        let started = Instant::now();
        eprintln!("\n=== {}\n    {self}", self.heading);
        let mut child = self.command().stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let closing_lines = thread::scope(|scope| {
            let out = scope.spawn(|| pass_through(stdout, io::stdout()));
            let err = scope.spawn(|| pass_through(stderr, io::stderr()));
            let joined = [out.join(), err.join()];
            joined.into_iter().flat_map(Result::unwrap_or_default).collect()
        });
        let success = child.wait()?.success();
        let verdict = if success { "done" } else { "FAILED" };
        eprintln!("=== {}: {verdict} in {:.1} s", self.heading, started.elapsed().as_secs_f64());
        Ok(Outcome { success, closing_lines })
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.args).current_dir(workspace::root());
        if io::stderr().is_terminal() {
            command.env("CARGO_TERM_COLOR", "always");
        }
        let variables = self.env.iter().chain(&self.for_this_run);
        command.envs(variables.map(|(name, value)| (name, value)));
        command
    }
}

/// A cargo command of plain words.
pub(crate) fn cargo(heading: &'static str, args: &str) -> Step {
    let args: Vec<&str> = args.split(' ').collect();
    Step::new(heading, &environment::cargo(), &args)
}

/// The command as one would type it.
impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in &self.env {
            write!(f, "{name}={} ", quoted(value))?;
        }
        let program = if self.program.ends_with("/cargo") { "cargo" } else { &self.program };
        write!(f, "{program}")?;
        self.args.iter().try_for_each(|arg| write!(f, " {}", quoted(arg)))
    }
}

fn quoted(word: &str) -> String {
    if !word.is_empty() && !word.contains([' ', '"', '\'', '$', '*', ';', '&', '|', '<', '>']) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

fn pass_through(from: Option<impl Read>, mut to: impl Write) -> Vec<String> {
    let Some(from) = from else { return Vec::new() };
    let mut from = BufReader::new(from);
    let mut closing_lines = Vec::new();
    let mut line = Vec::new();
    while from.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
        // A reader that went away does not stop the tests.
        let _ = to.write_all(&line).and_then(|()| to.flush());
        let text = without_colours(&String::from_utf8_lossy(&line));
        if text.trim_start().starts_with("Summary [") || text.starts_with("test result: ") {
            closing_lines.push(text.trim_end().to_owned());
        }
        line.clear();
    }
    closing_lines
}

fn without_colours(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((before, escape)) = rest.split_once('\x1b') {
        plain.push_str(before);
        rest = escape.split_once('m').map_or("", |(_, after)| after);
    }
    plain + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_reads_as_one_would_type_it() {
        let step = Step::new("docs", "/opt/bin/cargo", &["doc", "--no-deps"])
            .env("RUSTDOCFLAGS", "-D warnings")
            .for_this_run("PORT", "4711");
        assert_eq!(step.to_string(), "RUSTDOCFLAGS='-D warnings' cargo doc --no-deps");
    }

    #[test]
    fn closing_lines_are_found_under_their_colours() {
        let output = b"noise\n\x1b[32m     Summary\x1b[0m [\x1b[1m 1.2s\x1b[0m] \x1b[1m3\x1b[0m tests run\ntest result: ok. 1 passed; 0 failed\n";
        let mut copy = Vec::new();
        let lines = pass_through(Some(&output[..]), &mut copy);
        assert_eq!(copy, output);
        assert_eq!(
            lines,
            ["     Summary [ 1.2s] 3 tests run", "test result: ok. 1 passed; 0 failed"]
        );
    }
}
