//! The tests of the stores through the public API.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod migrations;
mod postgres;
mod postgres_deliveries;
mod sqlite;
mod sqlite_deliveries;
