//! The tests of the library, one module a subject.

#![expect(clippy::unwrap_used, reason = "the helpers of a test may panic as it does")]

#[cfg(feature = "actix-web")]
mod actix;
#[cfg(feature = "catalog")]
mod any_json;
#[cfg(feature = "axum")]
mod axum;
#[cfg(feature = "catalog")]
mod catalog;
mod ed25519;
mod envelope;
mod event;
mod fuzz;
#[cfg(feature = "interop")]
mod interop;
#[cfg(feature = "catalog")]
mod official;
mod payload;
mod properties;
mod secrets;
mod signature_rules;
mod traps;
mod vectors;
