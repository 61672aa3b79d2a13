//! The tests of the client, against a simulated Clerk.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod resumed;
mod support;
mod walks;
mod world;
