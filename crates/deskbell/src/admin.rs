//! What the admin API, the pages and the command line are told: read from the store, the mirrors and the
//! effective config.

mod access;
mod attempts;
pub(crate) mod dead_letters;
pub(crate) mod destinations;
pub(crate) mod details;
mod endpoints;
mod endpoints_state;
mod events;
mod explaining;
pub(crate) mod explanation;
mod local;
mod messages;
mod minutes;
mod mirrors;
mod overview;
mod replays;
mod settings;
pub(crate) mod token_name;

pub(crate) use endpoints_state::EndpointsState;
pub(crate) use explaining::Explaining;
pub(crate) use local::LocalAdmin;
pub(crate) use minutes::Minutes;
