//! The sources and the mirrors of a running program.

use std::sync::Arc;

use clerk_api::Client;
use deskbell_sync::{MirrorOptions, Target};
use tokio::sync::watch;

/// A source whose objects can be read.
#[derive(Debug, Clone)]
pub struct BackfillSource {
    pub name: String,
    /// Reads lists, by one process at a time.
    pub client: Client,
    /// Reads what somebody waits for, in every process: its share of the rate limit is a small one.
    pub on_demand: Client,
    /// Reads what events only say of, in every process too.
    pub refetching: Client,
    /// The instance that the config names.
    pub instance_id: Option<String>,
    /// Whether new mirrors are filled without being asked.
    pub is_auto: bool,
}

/// A mirror that this process keeps.
#[derive(Debug, Clone)]
pub struct FollowedMirror {
    pub options: MirrorOptions,
    /// Its database, once it could be opened.
    pub target: watch::Receiver<Option<Arc<dyn Target>>>,
}

/// The source whose objects a mirror has: the first of the mirror's sources that has a key.
pub(crate) fn is_read_from(
    options: &MirrorOptions,
    source: &BackfillSource,
    sources: &[BackfillSource],
) -> bool {
    let takes = |one: &&BackfillSource| options.sources.contains_key(&one.name);
    sources.iter().find(takes).is_some_and(|first| first.name == source.name)
}
