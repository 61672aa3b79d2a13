//! The options of a mirror: what the config has, and the sources that it takes.

use std::collections::BTreeMap;
use std::time::Duration;

use deskbell_store::ReadLimit;

use crate::config::DatabaseConfig;

/// A mirror's options.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MirrorOptions {
    /// The destination's name: its checkpoint's, and its consumer's.
    pub destination: String,
    /// The keys of the destination.
    pub database: DatabaseConfig,
    /// The sources whose events are applied, by name. Empty: all of them, whatever the instance.
    pub sources: BTreeMap<String, SourceRule>,
    /// How much of the log is applied in one transaction: memory and the length of a lock on the
    /// tables grow with it, the cost of an event falls.
    pub batch: ReadLimit,
    /// How long the mirror waits for a notification of the log before it polls.
    pub poll_every: Duration,
    /// How long one unit of work may take. A database that takes longer, or does not answer at
    /// all, counts as away; the connection is given up, and with it the transaction.
    pub answer_within: Duration,
}

/// What is known about a source.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourceRule {
    /// The Clerk instance that the source belongs to. Events that name another are not applied;
    /// those that name none, as all did before 2025, are.
    pub instance_id: Option<String>,
}

impl MirrorOptions {
    /// The defaults, for the destination of this name.
    #[must_use]
    pub fn new(destination: &str, database: DatabaseConfig) -> Self {
        Self {
            destination: destination.to_owned(),
            database,
            sources: BTreeMap::new(),
            batch: ReadLimit::default(),
            poll_every: Duration::from_secs(5),
            answer_within: Duration::from_secs(30),
        }
    }
}

impl Default for MirrorOptions {
    fn default() -> Self {
        Self::new("mirror", DatabaseConfig::default())
    }
}
