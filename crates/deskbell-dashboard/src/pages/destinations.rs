//! Destinations: a list, each by itself, and what can be done with it.

mod endpoint;
mod health;
pub(crate) mod list;
mod secret;
mod show;

pub(crate) use secret::rotate;
pub(crate) use show::{page, reveal};
