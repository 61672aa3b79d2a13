//! The tests of what fills and compares mirrors, against a simulated Clerk, and of the alarm for events
//! that stop.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod backfill;
mod emit;
mod endpoint_watch;
mod ensure;
mod keys;
mod live;
mod pull;
mod reconcile;
mod refetch;
mod sender;
mod service;
mod silence;
mod support;
