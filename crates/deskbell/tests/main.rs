//! The tests of the program, its config, and the engine inside another program.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod builder;
mod config;
mod program;
