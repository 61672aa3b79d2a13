//! The program as its users run it: real processes, real files, real HTTP.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod demo;
mod help;
#[cfg(feature = "interop")]
mod interop;
mod kill;
mod serve;
mod support;
mod trigger;
