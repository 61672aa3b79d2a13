//! The admin API of a running program, and the command line as a client of it.

mod client;
mod endpoints;
mod mcp;
mod pausing;
mod remote;
mod replays;
mod sessions;
