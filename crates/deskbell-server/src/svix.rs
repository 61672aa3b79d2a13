//! Svix's public API, for its own clients: sources are applications, `http` destinations are endpoints,
//! and events are messages.

mod api;
mod attempts;
mod body;
mod endpoints;
mod errors;
mod idempotency;
mod messages;
mod pages;
mod query;
mod replays;
mod replies;
mod status;
mod time;
