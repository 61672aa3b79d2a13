//! What a command prints: data on stdout, everything else on stderr. Neither panics where nobody
//! reads it.

use std::fmt;
use std::io::{self, ErrorKind, Write};
use std::process;
use std::sync::OnceLock;

use tracing_appender::non_blocking::{NonBlocking, NonBlockingBuilder, WorkerGuard};

use super::exit_code;

/// Lines that wait for a stderr that nobody reads; further ones are dropped.
const LINES_WAITING_MAX: usize = 8_192;

/// Where a service writes instead of stderr.
static LOSSY: OnceLock<NonBlocking> = OnceLock::new();

/// Prints a line of data on stdout.
macro_rules! outln {
    () => { $crate::cli::output::data(format_args!("")) };
    ($($argument:tt)+) => { $crate::cli::output::data(format_args!($($argument)+)) };
}

/// Prints a line on stderr.
macro_rules! errln {
    () => { $crate::cli::output::message(format_args!("")) };
    ($($argument:tt)+) => { $crate::cli::output::message(format_args!($($argument)+)) };
}

/// Prints a line of data. Where nobody reads on, as in `deskbell events list | head -1`, the process
/// ends at once and without a word, as tools do that SIGPIPE ends.
pub(in crate::cli) fn data(line: fmt::Arguments<'_>) {
    let mut stdout = io::stdout().lock();
    let Err(error) = writeln!(stdout, "{line}") else { return };
    if error.kind() == ErrorKind::BrokenPipe {
        process::exit(exit_code::BROKEN_PIPE.into());
    }
    message(format_args!("cannot write to stdout: {error}"));
    process::exit(exit_code::FAILED.into());
}

/// Prints a line that is not data. One that cannot be written is lost.
pub(in crate::cli) fn message(line: fmt::Arguments<'_>) {
    let line = format!("{line}\n");
    let _ = stderr().write_all(line.as_bytes());
}

/// The writer of whatever is not data.
pub(in crate::cli) fn stderr() -> Box<dyn Write> {
    match LOSSY.get() {
        Some(lossy) => Box::new(lossy.clone()),
        None => Box::new(io::stderr()),
    }
}

/// From now on, lines that stderr does not take at once wait on a thread of their own, and are lost
/// where too many wait: a service goes on whatever becomes of its log. What waits is written when
/// the guard is dropped.
pub(in crate::cli) fn never_wait_for_stderr() -> WorkerGuard {
    let (writer, guard) = NonBlockingBuilder::default()
        .lossy(true)
        .buffered_lines_limit(LINES_WAITING_MAX)
        .thread_name("deskbell-log")
        .finish(io::stderr());
    let _ = LOSSY.set(writer);
    guard
}
