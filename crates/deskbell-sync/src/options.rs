//! What a mirror is told: where it is, what it holds, and whose events it takes.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use deskbell_store::ReadLimit;

use crate::entity;

/// A mirror's options. `MirrorOptions::default()` has what the config has where it says nothing;
/// `url` must be given.
#[derive(Clone)]
pub struct MirrorOptions {
    /// The destination's name: its checkpoint's, and its consumer's.
    pub destination: String,
    /// The database: `sqlite://clerk.db`.
    pub url: String,
    /// The schema that holds the tables; on SQLite `schema` and `_` stand before each table's name.
    /// Lower-case letters, digits and `_`.
    pub schema: String,
    /// The names of the mirrored entities.
    pub entities: Vec<String>,
    /// The columns left out, as `entity.column`; `None`: every `private_metadata`.
    pub exclude_columns: Option<Vec<String>>,
    /// The sources whose events are applied, by name. Empty: all of them, whatever the instance.
    pub sources: BTreeMap<String, SourceRule>,
    /// How much of the log is applied in one transaction: memory and the length of a lock on the
    /// tables grow with it, the cost of an event falls.
    pub batch: ReadLimit,
    /// How long the mirror waits for the log's hint before it looks for itself.
    pub poll_every: Duration,
}

/// What is known about a source.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourceRule {
    /// The Clerk instance that the source belongs to. Events that name another are not applied;
    /// those that name none, as all did before 2025, are.
    pub instance_id: Option<String>,
}

impl Default for MirrorOptions {
    fn default() -> Self {
        Self {
            destination: "mirror".to_owned(),
            url: String::new(),
            schema: "clerk".to_owned(),
            entities: entity::ALL.iter().map(|entity| entity.name.to_owned()).collect(),
            exclude_columns: None,
            sources: BTreeMap::new(),
            batch: ReadLimit::default(),
            poll_every: Duration::from_secs(5),
        }
    }
}

impl fmt::Debug for MirrorOptions {
    /// Leaves the URL out: it may bear a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MirrorOptions")
            .field("destination", &self.destination)
            .field("schema", &self.schema)
            .field("entities", &self.entities)
            .field("exclude_columns", &self.exclude_columns)
            .field("sources", &self.sources)
            .field("batch", &self.batch)
            .field("poll_every", &self.poll_every)
            .finish_non_exhaustive()
    }
}
