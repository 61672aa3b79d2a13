//! The exit codes of every command.

/// Done.
pub const DONE: u8 = 0;
/// Failed: drift was found, a check failed, a server did not answer.
pub const FAILED: u8 = 1;
/// Wrong usage: unknown flags or arguments.
pub const USAGE: u8 = 2;
/// Wrong configuration: nothing was started.
pub const CONFIG: u8 = 64;
/// Nobody reads stdout any more: what a shell reports of a tool that SIGPIPE ended.
pub const BROKEN_PIPE: u8 = 141;
