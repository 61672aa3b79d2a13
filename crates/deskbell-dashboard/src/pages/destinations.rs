//! Destinations: a list, each by itself, and what can be done with it.

mod actions;
mod edit;
mod endpoint;
mod endpoint_form;
mod health;
pub(crate) mod list;
mod replay;
mod secret;
mod show;

pub(crate) use actions::{delete, pause, replace_headers, resume, send_sample, send_test};
pub(crate) use edit::{create, edit, new, update};
pub(crate) use replay::{count as count_replay, start as start_replay};
pub(crate) use secret::rotate;
pub(crate) use show::{page, reveal};
