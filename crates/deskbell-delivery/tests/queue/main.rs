//! The queue from the log to a channel: real files, a store's clock that is set forward by hand.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod attempts;
mod failing;
mod health;
mod isolation;
mod ordering;
mod replay;
mod routing;
mod stopping;
mod support;
