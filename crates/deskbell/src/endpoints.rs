//! What is declared through the admin API rather than in the config file: `http` destinations, and
//! mirrors that somebody paused. They are in the store, for every process that shares it.

mod applied;
mod declared;
mod destination;
mod record;
mod sealing;
mod watch;

pub(crate) use applied::Applied;
pub(crate) use declared::Declared;
pub(crate) use destination::destination;
pub(crate) use record::{EndpointRecord, RecordSecret};
pub(crate) use sealing::{KeySource, SealingKey};
pub(crate) use watch::changed;
