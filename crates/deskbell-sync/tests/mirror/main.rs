//! The mirror through its public API, each test with a database of its own.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails there")]

mod application;
mod backend;
mod consumer;
mod convergence;
mod dead_letters;
mod deletes;
mod documents;
mod expected;
mod inspect;
mod mapped;
mod mapped_convergence;
mod mark;
mod migrate;
mod model;
mod outcome;
mod payloads;
mod rebuild;
mod refused;
mod retry;
mod rows;
mod several;
mod shapes;
mod sources;
mod statements;
mod status;
mod support;
mod trouble;
mod verbatim;
