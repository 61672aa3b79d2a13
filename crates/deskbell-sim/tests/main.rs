//! The tests of the simulated Clerk.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod backend_api;
mod load;
mod sender;
mod sender_api;
mod world;
