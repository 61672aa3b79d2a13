//! How many results a tool answers with.

use schemars::JsonSchema;
use serde::Deserialize;

/// Results of a list, unless another number is asked for.
const DEFAULT: usize = 20;
/// Results of a list, at most.
const MAX: usize = 100;

/// Maximum number of results: 20, unless another number is given, and never more than 100.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
pub(super) struct Limit(#[schemars(range(min = 1, max = 100))] usize);

impl Default for Limit {
    fn default() -> Self {
        Self(DEFAULT)
    }
}

impl Limit {
    pub(super) fn count(self) -> usize {
        self.0.clamp(1, MAX)
    }
}
