//! The server over HTTP, as Clerk's sender and everybody else on the internet meets it.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod admin;
mod admin_limits;
mod api;
mod clients;
mod connections;
mod entities;
mod flood;
mod guard;
mod heads;
mod health;
mod ingest;
mod listening;
mod memory_admin;
mod pages;
mod refusals;
mod room;
mod sign_in;
mod slots;
mod support;
mod tail;
mod tls;
