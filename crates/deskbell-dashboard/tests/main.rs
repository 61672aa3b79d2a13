//! Each page, rendered of made-up data that is hostile wherever it can be.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod actions;
mod client;
mod fixture;
mod pages;
mod roles;
mod routes;
mod search;
mod tail;
