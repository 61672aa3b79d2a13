//! How many results a tool answers with.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

/// Results of a list, unless another number is asked for.
const DEFAULT: usize = 20;
/// Results of a list, at most.
const MAX: usize = 100;

/// A number of results.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) struct Limit(usize);

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

impl JsonSchema for Limit {
    fn schema_name() -> Cow<'static, str> {
        "Limit".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": 1, "maximum": MAX, "default": DEFAULT })
    }
}
