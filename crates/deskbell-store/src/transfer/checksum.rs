//! What rows come to, whatever their order: their number, and a sum over each one's digest.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::value::Value;

/// Rows that were added in any order have the same checksum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Checksum {
    rows: u64,
    sum: u64,
}

impl Checksum {
    pub(super) fn add(&mut self, row: &[Value]) {
        // The same in one process, and both sides are read by one.
        let mut digest = DefaultHasher::new();
        row.hash(&mut digest);
        self.rows += 1;
        self.sum = self.sum.wrapping_add(digest.finish());
    }

    pub(super) fn rows(&self) -> u64 {
        self.rows
    }
}
