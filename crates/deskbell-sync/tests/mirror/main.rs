//! The mirror through its public API, each test with a database of its own.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails there")]

mod consumer;
mod convergence;
mod dead_letters;
mod deletes;
mod documents;
mod inspect;
mod migrate;
mod model;
mod payloads;
mod rows;
mod sources;
mod support;
mod trouble;
