//! The ids that a walk has seen.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Ids, by their hashes: eight bytes each, whatever there is.
#[derive(Debug, Default)]
pub(super) struct SeenIds(HashSet<u64>);

impl SeenIds {
    pub(super) fn insert(&mut self, id: &str) {
        self.0.insert(hash(id));
    }

    pub(super) fn contains(&self, id: &str) -> bool {
        self.0.contains(&hash(id))
    }

    pub(super) fn len(&self) -> u64 {
        self.0.len() as u64
    }
}

fn hash(id: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    hasher.finish()
}
