//! What a comparison with Clerk has found, and what was done about it.

use std::collections::BTreeMap;

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
    /// The rows that were written or removed since the last whole comparison began, by looks at what
    /// has changed in between too.
    pub repaired: u64,
}

/// What was found of one entity.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Reconciled {
    pub entity: String,
    /// The objects that Clerk has, and the rows that the mirror had before.
    pub in_clerk: u64,
    pub in_mirror: u64,
    pub missing: Found,
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
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
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

impl MirrorReconciled {
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
