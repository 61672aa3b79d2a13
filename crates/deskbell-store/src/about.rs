//! Events about a subject: what is indexed, and behind it what is not yet.

use crate::{Seq, StoredEvent};

/// Places that are not indexed yet and that one call reads. With a log that was filled before there
/// was an index there may be millions, and no statement is to take seconds.
pub(crate) const PLACES_MAX: i64 = 10_000;

/// Events about one subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventsAbout {
    /// The newest first.
    pub events: Vec<StoredEvent>,
    /// Where to go on: there may be others before this place, also where none has been found yet.
    /// `None` where there are no more.
    pub older: Option<Seq>,
}
