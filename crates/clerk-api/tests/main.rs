//! The tests of the client, against a simulated Clerk.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod failures;
mod limits;
mod openapi;
mod raw_server;
mod resumed;
mod secrets;
mod sender;
mod sender_endpoints;
mod sender_messages;
mod single;
mod support;
mod walks;
mod world;
