//! How far a backfill is: kept in the store, so that it goes on where it was.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How far the backfill of every mirror is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BackfillState {
    /// The last request that was begun.
    pub request: i64,
    /// Whether one is running.
    pub is_running: bool,
    /// Why the last one ended early, where it did.
    pub error: Option<String>,
    /// By destination and entity.
    pub mirrors: BTreeMap<String, BTreeMap<String, WalkState>>,
}

/// How far one entity of one mirror is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct WalkState {
    pub status: WalkStatus,
    /// Where to go on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// The objects that were read.
    pub read: u64,
    /// How many Clerk has, where it says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// The rows that were inserted or changed; of the mirror and of mapped tables.
    pub rows_written: u64,
    /// The rows that the database rejected: they are dead letters.
    pub rejected: u64,
    /// The blocked tables that have nothing of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub passed_over: Vec<String>,
    /// Why it is not done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// When it began, and when it was done, in milliseconds since the Unix epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at_ms: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished_at_ms: Option<i64>,
}

/// What became of one entity of one mirror.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WalkStatus {
    /// It is under way, or was when the program stopped.
    #[default]
    Running,
    Done,
    /// It is done but for tables that were blocked.
    Incomplete,
    /// It failed on its way.
    Failed,
    /// The instance does not have this: Clerk rejected the list as a whole.
    NotAvailable,
}

impl WalkStatus {
    /// Whether there is nothing to be gained by doing it once more.
    #[must_use]
    pub fn is_settled(self) -> bool {
        matches!(self, Self::Done | Self::NotAvailable)
    }
}

impl BackfillState {
    pub(crate) fn of(&self, destination: &str, entity: &str) -> Option<&WalkState> {
        self.mirrors.get(destination)?.get(entity)
    }

    pub(crate) fn set(&mut self, destination: &str, entity: &str, walk: WalkState) {
        let mirror = self.mirrors.entry(destination.to_owned()).or_default();
        mirror.insert(entity.to_owned(), walk);
    }

    /// The walks of these destinations, by their names and entities.
    pub fn walks(&self) -> impl Iterator<Item = (&str, &str, &WalkState)> {
        self.mirrors.iter().flat_map(|(destination, walks)| {
            let walks = walks.iter();
            walks.map(move |(entity, walk)| (destination.as_str(), entity.as_str(), walk))
        })
    }
}
