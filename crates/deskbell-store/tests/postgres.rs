//! What a store on PostgreSQL does.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "postgres/opening.rs"]
mod opening;
#[path = "postgres/place.rs"]
mod place;
