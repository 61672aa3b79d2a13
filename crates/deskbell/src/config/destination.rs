//! `[[destination]]`: where events go.

use std::collections::BTreeSet;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::error::{Fault, Step};
use super::{DatabaseUrl, StoreConfig};

/// One destination.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct DestinationConfig {
    /// Its name, under which it keeps its checkpoint: renaming it makes it start anew.
    pub name: String,
    /// What it is.
    #[serde(rename = "type")]
    pub kind: DestinationType,
    /// The database that holds the mirror.
    pub url: DatabaseUrl,
    /// The entities to mirror. Default: all that this version mirrors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entities: Option<Vec<String>>,
    /// Columns to leave out, as `entity.column`. Default: every `private_metadata`; an empty list
    /// asks for all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exclude_columns: Option<Vec<String>>,
}

/// The kinds of destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DestinationType {
    /// A mirror of Clerk's entities in a database.
    Database,
}

impl Default for DestinationConfig {
    fn default() -> Self {
        Self {
            name: "mirror".to_owned(),
            kind: DestinationType::Database,
            url: DatabaseUrl::sqlite(Path::new("clerk.db")),
            entities: None,
            exclude_columns: None,
        }
    }
}

/// Whether the destinations fit together.
pub(super) fn check(destinations: &[DestinationConfig], store: &StoreConfig) -> Result<(), Fault> {
    let mut names = BTreeSet::new();
    for (index, destination) in destinations.iter().enumerate() {
        let at = |key| vec![Step::Key("destination"), Step::Index(index), Step::Key(key)];
        let name = &destination.name;
        if name.trim().is_empty() {
            return Err(Fault::at(at("name"), "a destination needs a name"));
        }
        if !names.insert(name) {
            return Err(Fault::at(at("name"), format!("two destinations are named `{name}`"))
                .with_help("checkpoints are kept by name: give each one of its own"));
        }
        if destination.url == store.url {
            return Err(Fault::at(at("url"), "the mirror cannot be in the event log's file")
                .with_help("give it a file of its own, for example sqlite://clerk.db"));
        }
    }
    Ok(())
}
