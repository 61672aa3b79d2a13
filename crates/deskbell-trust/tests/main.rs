//! The tests of what fills and compares mirrors, against a simulated Clerk.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod backfill;
mod keys;
mod live;
mod reconcile;
mod service;
mod support;
