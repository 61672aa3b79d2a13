//! A time in the arguments of a tool, as the command line takes it.

use std::borrow::Cow;

use clerk_webhooks::UnixMillis;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};

use crate::cli::time;

/// Since when.
#[derive(Debug, Clone, Copy)]
pub(super) struct Since(pub(super) UnixMillis);

impl<'de> Deserialize<'de> for Since {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        time::since(&text).map(Self).map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Since {
    fn schema_name() -> Cow<'static, str> {
        "Since".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "examples": ["2h", "2026-11-21T08:00:00Z"] })
    }
}
