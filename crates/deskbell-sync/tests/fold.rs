//! The fold through its public API: what the rows of a batch are, without a database.

mod children;
mod items;
mod messages;
mod order;
mod pruned;
mod samples;
mod secrets;
mod shapes;
mod support;
mod values;
