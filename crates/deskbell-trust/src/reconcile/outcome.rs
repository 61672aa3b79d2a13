//! What a comparison with Clerk has found, and what was done about it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The ids that are kept of each kind of difference.
pub(super) const EXAMPLES_MAX: usize = 5;

/// What the last comparison of every mirror has found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ReconcileState {
    /// By destination.
    pub mirrors: BTreeMap<String, MirrorReconciled>,
}

/// What the last comparison of one mirror has found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MirrorReconciled {
    /// When it began and ended, in milliseconds since the Unix epoch.
    pub started_at_ms: i64,
    pub finished_at_ms: i64,
    /// Up to when users that have changed were looked at, by Clerk's clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub users_until_ms: Option<i64>,
    /// When they were last looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub users_looked_at_ms: Option<i64>,
    pub entities: Vec<Reconciled>,
    /// The newest user that a comparison has ever found missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub newest_missing_user: Option<MissingUser>,
    /// The rows that were written or removed since the last whole comparison began, by looks at what
    /// has changed in between too.
    pub repaired: u64,
}

/// A user whom Clerk has, and of whom no event came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MissingUser {
    pub source: String,
    /// When it was created, by Clerk's clock.
    pub created_at_ms: i64,
}

/// What was found of one entity.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Reconciled {
    pub entity: String,
    /// The objects that Clerk has, and the rows that the mirror had before.
    pub in_clerk: u64,
    pub in_mirror: u64,
    pub missing: Found,
    /// When the newest of the missing objects was created, by Clerk's clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub newest_missing_at_ms: Option<i64>,
    pub stale: Found,
    /// Rows that Clerk does not have. `None`: the list is not known to be complete.
    pub surplus: Option<Found>,
    /// The differences that were mended.
    pub repaired: u64,
    /// Why surplus rows were left: there are more than may be removed at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held_back: Option<String>,
    /// Why it was not compared whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Whether Clerk rejected the list as a whole, as of what is not switched on.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_not_available: bool,
}

/// Differences of one kind.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Found {
    pub count: u64,
    /// The first few ids.
    pub examples: Vec<String>,
}

impl Found {
    pub(super) fn add<'a>(&mut self, ids: impl IntoIterator<Item = &'a String>) {
        for id in ids {
            self.count += 1;
            if self.examples.len() < EXAMPLES_MAX {
                self.examples.push(id.clone());
            }
        }
    }
}

impl Reconciled {
    /// The differences that were found, mended or not.
    #[must_use]
    pub fn found(&self) -> u64 {
        let surplus = self.surplus.as_ref().map_or(0, |surplus| surplus.count);
        self.missing.count + self.stale.count + surplus
    }

    /// The differences that are left.
    #[must_use]
    pub fn left(&self) -> u64 {
        self.found().saturating_sub(self.repaired)
    }
}

impl ReconcileState {
    /// When the newest user was created of whom this source received no event, as far as
    /// comparisons have found.
    #[must_use]
    pub fn newest_missing_user_ms(&self, source: &str) -> Option<i64> {
        let missing =
            self.mirrors.values().filter_map(|mirror| mirror.newest_missing_user.as_ref());
        missing
            .filter(|missing| missing.source == source)
            .map(|missing| missing.created_at_ms)
            .max()
    }
}

impl MirrorReconciled {
    /// With the newest user who is missing in these results, if newer than the known one.
    pub(crate) fn with_missing_of(mut self, source: &str, entities: &[Reconciled]) -> Self {
        let users = entities.iter().filter(|entity| entity.entity == "user");
        let newest = users.filter_map(|users| users.newest_missing_at_ms).max();
        let known = self.newest_missing_user.as_ref().filter(|known| known.source == source);
        if newest > known.map(|known| known.created_at_ms) {
            self.newest_missing_user = newest
                .map(|created_at_ms| MissingUser { source: source.to_owned(), created_at_ms });
        }
        self
    }

    /// The differences that are left in all entities.
    #[must_use]
    pub fn left(&self) -> u64 {
        self.entities.iter().map(Reconciled::left).sum()
    }

    /// Whether everything could be compared.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.entities.iter().all(|entity| entity.error.is_none())
    }
}
