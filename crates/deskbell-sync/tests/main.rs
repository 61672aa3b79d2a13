//! The tests of the mirror through the public API.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::duplicate_mod, reason = "the same tests run on each database")]

mod fold;
mod mirror;
mod mirror_on_postgres;
mod models;
mod schema;
