//! A server in a child process: started, measured, stopped.

use std::fs;
use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStdout, Command, Stdio};

use crate::child::{self, Committed, Listening};
use crate::error::BenchError;

/// Clock ticks of `/proc` a second; Linux has 100 on every architecture that matters here.
const TICKS_PER_SECOND: f64 = 100.0;

/// A running server. Dropped, its standard input ends, and so does it.
pub(crate) struct ServerProcess {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    pub(crate) listening: Listening,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Usage {
    /// The most memory that it ever held, in megabytes; 0 where the system does not say.
    pub(crate) memory_mb_max: f64,
    /// Processor time, in seconds; 0 where the system does not say.
    pub(crate) processor_seconds: f64,
    /// What it had written to disks; 0 where the system does not say.
    pub(crate) written_bytes: f64,
}

impl ServerProcess {
    pub(crate) fn start(options: &child::Options) -> Result<Self, BenchError> {
        let mut command = Command::new(std::env::current_exe()?);
        options.add_to(&mut command);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let stdout = child.stdout.take().ok_or_else(failed)?;
        let mut lines = BufReader::new(stdout).lines();
        let first = lines.next().ok_or_else(failed)??;
        Ok(Self { child, lines, listening: serde_json::from_str(&first)? })
    }

    pub(crate) fn usage(&self) -> Usage {
        let proc = |file| fs::read_to_string(format!("/proc/{}/{file}", self.child.id()));
        Usage {
            memory_mb_max: proc("status").map_or(0.0, |status| memory_mb_max(&status)),
            processor_seconds: processor_seconds_of(self.child.id()),
            written_bytes: proc("io").map_or(0.0, |io| written_bytes(&io)),
        }
    }

    /// Stops it gracefully, and asks how it committed.
    pub(crate) fn stop(mut self) -> Result<Committed, BenchError> {
        drop(self.child.stdin.take());
        let last = self.lines.next().ok_or_else(failed)??;
        self.child.wait()?;
        Ok(serde_json::from_str(&last)?)
    }
}

/// The most memory that this process ever held, in megabytes; 0 where the system does not say.
pub(crate) fn own_memory_mb_max() -> f64 {
    fs::read_to_string("/proc/self/status").map_or(0.0, |status| memory_mb_max(&status))
}

/// The processor time of a process, in seconds; 0 where the system does not say.
fn processor_seconds_of(process: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"));
    stat.map_or(0.0, |stat| processor_seconds(&stat))
}

/// The processor time of a process and of all that it has started, those that have ended included.
pub(crate) fn seconds_of_family(parent: u32) -> f64 {
    let numbers = fs::read_dir("/proc").into_iter().flatten().flatten();
    let processes = numbers.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let children = processes.filter(|process| parent_of(*process) == Some(parent));
    let ended = fs::read_to_string(format!("/proc/{parent}/stat"))
        .map_or(0.0, |stat| seconds_of_ended(&stat));
    processor_seconds_of(parent) + ended + children.map(processor_seconds_of).sum::<f64>()
}

/// The process that started this one.
pub(crate) fn parent_of(process: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

fn failed() -> BenchError {
    BenchError::Program { program: "deskbell-bench serve".to_owned() }
}

/// `VmHWM` in kilobytes.
fn memory_mb_max(status: &str) -> f64 {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kilobytes.unwrap_or(0.0) / 1024.0
}

/// `write_bytes` of a process's `io`.
fn written_bytes(io: &str) -> f64 {
    let bytes = io.lines().find_map(|line| line.strip_prefix("write_bytes:"));
    bytes.and_then(|bytes| bytes.trim().parse().ok()).unwrap_or(0.0)
}

/// The 14th and 15th field.
fn processor_seconds(stat: &str) -> f64 {
    seconds_of_fields(stat, 11)
}

/// The 16th and 17th field: of children that have ended.
fn seconds_of_ended(stat: &str) -> f64 {
    seconds_of_fields(stat, 13)
}

/// The sum of this field and the next, counted behind the second one, which is the program's name in
/// brackets and may hold spaces.
fn seconds_of_fields(stat: &str, first: usize) -> f64 {
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    let ticks =
        fields.split_whitespace().skip(first).take(2).filter_map(|ticks| ticks.parse::<f64>().ok());
    ticks.sum::<f64>() / TICKS_PER_SECOND
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_linux_says_is_read() {
        let status = "Name:\tdeskbell\nVmPeak:\t  999 kB\nVmHWM:\t   51200 kB\nVmRSS:\t 1 kB\n";
        assert!((memory_mb_max(status) - 50.0).abs() < 1e-9);
        let stat = "42 (a b) c) S 1 2 3 4 5 6 7 8 9 10 150 50 0 0 20 0 3 0 100 0 0";
        assert!((processor_seconds(stat) - 2.0).abs() < 1e-9);
        assert!(seconds_of_ended(stat).abs() < 1e-9);
        let io = "wchar: 7\nread_bytes: 1\nwrite_bytes: 4096\ncancelled_write_bytes: 5\n";
        assert!((written_bytes(io) - 4096.0).abs() < 1e-9);
    }
}
