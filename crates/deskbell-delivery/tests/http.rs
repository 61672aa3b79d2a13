//! The `http` channel against receivers that behave, and receivers that do not.

mod bodies;
mod config;
mod connection;
#[cfg(feature = "interop")]
mod interop;
mod late;
mod outcome;
mod proxy;
mod refused;
mod signature;
mod statuses;
mod support;
mod tls;
