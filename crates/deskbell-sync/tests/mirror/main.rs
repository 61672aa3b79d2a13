//! The mirror through its public API, each test with a database of its own.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails there")]

mod application;
mod backend;
mod columns;
mod consumer;
mod convergence;
mod dead_letters;
mod deletes;
mod documents;
mod earlier;
mod expected;
mod faulty;
mod hostile;
mod inspect;
mod mapped;
mod mapped_constraints;
mod mapped_convergence;
mod mapped_keys;
mod mapped_moves;
mod mapped_swaps;
mod mapped_values;
mod mapped_waiting;
mod mark;
mod migrate;
mod model;
mod never_stops;
mod odd_json;
mod outcome;
mod payloads;
mod rebuild;
mod refused;
mod remake_convergence;
mod retry;
mod roles;
mod rows;
mod several;
mod shapes;
mod sources;
mod statement_units;
mod statements;
mod status;
mod support;
mod trouble;
mod verbatim;
mod versions;
