//! The mirror through its public API, each test with a database of its own.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails there")]

mod consumer;
mod convergence;
mod deletes;
mod migrate;
mod model;
mod rows;
mod support;
mod trouble;
