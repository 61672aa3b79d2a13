//! Moments, as JSON has them.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use clerk_webhooks::{NotATime, UnixMillis};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::ToSchema;

/// A moment in milliseconds since the Unix epoch; in JSON it is RFC 3339 in UTC with milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, ToSchema)]
#[schema(value_type = String, format = DateTime, examples("2026-11-21T08:00:00.000Z"))]
pub struct Timestamp(pub i64);

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bounded = self.0.clamp(UnixMillis::MIN.as_millis(), UnixMillis::MAX.as_millis());
        match UnixMillis::from_millis(bounded) {
            Some(moment) => moment.fmt(f),
            None => Err(fmt::Error),
        }
    }
}

impl FromStr for Timestamp {
    type Err = NotATime;

    /// A moment of ISO 8601; UTC where it names no zone.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        UnixMillis::from_str(text).map(|moment| Self(moment.as_millis()))
    }
}

impl JsonSchema for Timestamp {
    fn schema_name() -> Cow<'static, str> {
        "Timestamp".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date-time" })
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_in_utc_where_they_name_no_zone() {
        for text in ["2026-11-21T08:00", "2026-11-21T08:00:00Z", "2026-11-21T09:00:00+01:00"] {
            assert_eq!(text.parse(), Ok(Timestamp(1_795_248_000_000)), "{text}");
        }
        assert!("yesterday".parse::<Timestamp>().is_err());
    }
}
