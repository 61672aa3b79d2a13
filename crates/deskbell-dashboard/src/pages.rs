//! The pages, a file or a folder each.

pub(crate) mod catalog;
pub(crate) mod dead_letters;
pub(crate) mod destinations;
pub(crate) mod events;
pub(crate) mod mirror;
pub(crate) mod overview;
pub(crate) mod reference;
pub(crate) mod replays;
pub(crate) mod search;
pub(crate) mod settings;
pub(crate) mod setup;
pub(crate) mod sign_in;
pub(crate) mod subject;
