//! Moments, as JSON has them.

use std::fmt;

use clerk_webhooks::UnixMillis;
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

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let moment: UnixMillis = text.parse().map_err(serde::de::Error::custom)?;
        Ok(Self(moment.as_millis()))
    }
}
