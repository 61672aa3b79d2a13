//! The tests of deliveries: the queue, and the channels against receivers on this machine.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod channels;
mod http;
mod queue;
