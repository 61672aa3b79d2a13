//! The queue from the log to a channel: real files, a store's clock that is set forward by hand.

mod attempts;
mod failing;
mod health;
mod isolation;
mod ordering;
mod replay;
mod routing;
mod stopping;
mod support;
