//! Durations, shown as they were written.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A duration such as `"30s"`, `"5m"`, `"72h"` or `"30d"`.
#[derive(Debug, Clone, Copy)]
pub struct Duration(pub std::time::Duration, Unit);

/// What a duration was written in, which it is shown in.
#[derive(Debug, Clone, Copy)]
enum Unit {
    Days,
    Hours,
    Minutes,
    Seconds,
    Milliseconds,
    /// In several, or in others.
    Mixed,
}

impl Unit {
    const ALL: [(Self, &str, u64); 5] = [
        (Self::Days, "d", 86_400_000),
        (Self::Hours, "h", 3_600_000),
        (Self::Minutes, "m", 60_000),
        (Self::Seconds, "s", 1_000),
        (Self::Milliseconds, "ms", 1),
    ];

    /// That of a text such as `72h`.
    fn of(text: &str) -> Self {
        let unit = text.trim().trim_start_matches(|c: char| c.is_ascii_digit());
        let found = Self::ALL.into_iter().find(|(_, name, _)| *name == unit);
        found.map_or(Self::Mixed, |(unit, ..)| unit)
    }
}

impl PartialEq for Duration {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl Eq for Duration {}

impl<'de> Deserialize<'de> for Duration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?)
    }
}

impl Duration {
    /// This duration, shown in the largest unit that it is a multiple of, up to hours.
    #[must_use]
    pub fn new(duration: std::time::Duration) -> Self {
        let millis = duration.as_millis();
        let fits = |(_, _, size): &&(Unit, &str, u64)| millis.is_multiple_of(u128::from(*size));
        let unit = Unit::ALL[1..].iter().find(fits).map_or(Unit::Mixed, |(unit, ..)| *unit);
        Self(duration, unit)
    }

    #[must_use]
    pub const fn days(days: u64) -> Self {
        Self(std::time::Duration::from_secs(days * 86_400), Unit::Days)
    }

    fn parse<E: serde::de::Error>(text: &str) -> Result<Self, E> {
        let parsed = humantime::parse_duration(text).map_err(|_| {
            E::custom(format_args!(
                "expected a duration such as 30s, 5m, 72h or 30d, found `{text}`"
            ))
        })?;
        Ok(Self(parsed, Unit::of(text)))
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found = Unit::ALL
            .into_iter()
            .find(|(unit, ..)| std::mem::discriminant(unit) == std::mem::discriminant(&self.1));
        match found {
            Some((_, name, size)) => write!(f, "{}{name}", self.0.as_millis() / u128::from(size)),
            None => humantime::format_duration(self.0).fmt(f),
        }
    }
}

impl Serialize for Duration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A duration, or `"never"` for none: for `#[serde(with = "or_never")]`.
pub mod or_never {
    use super::{Deserialize, Deserializer, Duration, Serialize, Serializer};

    const NEVER: &str = "never";

    /// # Errors
    /// The value is neither.
    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Duration>, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text == NEVER { Ok(None) } else { Duration::parse(&text).map(Some) }
    }

    /// # Errors
    /// The serializer's own.
    pub fn serialize<S: Serializer>(
        duration: &Option<Duration>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match duration {
            Some(duration) => duration.serialize(serializer),
            None => serializer.serialize_str(NEVER),
        }
    }
}
