//! The tests of expressions through the public API.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod cost;
mod evaluate;
mod fields;
mod limits;
