//! The log's events: a list that is searched and followed, and each event by itself.

mod actions;
mod destinations;
pub(crate) mod event;
mod filters;
pub(crate) mod list;
pub(crate) mod raw;
pub(crate) mod replay;
mod rows;
pub(crate) mod tail;

pub(crate) use actions::replay_one;
