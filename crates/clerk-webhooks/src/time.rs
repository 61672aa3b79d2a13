//! `UnixMillis`: a moment of Clerk's, whichever of its three forms it was written in.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::ser::{Serialize, Serializer};
use serde_json::Value;

/// A number below this is in seconds, from here on in milliseconds: as seconds it would be the year
/// 5138, as milliseconds it is March 1973.
const MILLIS_FROM: i64 = 100_000_000_000;

/// A moment in milliseconds since the Unix epoch, between the years 0000 and 9999.
///
/// Clerk writes times inside `data` in milliseconds, the envelope's `timestamp` in milliseconds in
/// deliveries and in seconds in its documentation, and some in ISO-8601 text. Reading one tells
/// the three apart by form and size; [`Display`](fmt::Display) writes ISO-8601 in UTC with
/// milliseconds, and [`Serialize`] writes the number of milliseconds, or for the years 1966 to 1973,
/// whose milliseconds would be read as seconds, that text.
///
/// ```
/// use clerk_webhooks::UnixMillis;
/// use serde_json::json;
///
/// let millis = UnixMillis::from_json(&json!(1_716_883_200_000_i64)).unwrap();
/// assert_eq!(UnixMillis::from_json(&json!(1_716_883_200)), Some(millis));
/// assert_eq!(UnixMillis::from_json(&json!("2024-05-28T10:00:00+02:00")), Some(millis));
/// assert_eq!(millis.to_string(), "2024-05-28T08:00:00.000Z");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixMillis(i64);

impl UnixMillis {
    /// The first moment of the year 0000.
    pub const MIN: Self = Self(-62_167_219_200_000);

    /// The last moment that this type holds, on 30 December 9999: `9999-12-30T22:00:00.000Z`.
    pub const MAX: Self = Self(253_402_207_200_000);

    /// A moment given in milliseconds, whatever its size; `None` outside [`MIN`](Self::MIN) to
    /// [`MAX`](Self::MAX).
    #[must_use]
    pub fn from_millis(millis: i64) -> Option<Self> {
        (Self::MIN.0..=Self::MAX.0).contains(&millis).then_some(Self(millis))
    }

    /// A moment given in seconds, whatever its size; `None` out of range.
    ///
    /// ```
    /// use clerk_webhooks::UnixMillis;
    /// assert_eq!(UnixMillis::from_seconds(1).unwrap().as_millis(), 1000);
    /// assert_eq!(UnixMillis::from_seconds(i64::MAX), None);
    /// ```
    #[must_use]
    pub fn from_seconds(seconds: i64) -> Option<Self> {
        seconds.checked_mul(1000).and_then(Self::from_millis)
    }

    /// A moment as Clerk writes numbers: in seconds below 10^11 (either side of zero), in
    /// milliseconds from there on. `None` out of range.
    ///
    /// ```
    /// use clerk_webhooks::UnixMillis;
    /// let seconds = UnixMillis::from_clerk_number(1_654_012_591).unwrap();
    /// let millis = UnixMillis::from_clerk_number(1_654_012_591_835).unwrap();
    /// assert_eq!(millis.as_millis() - seconds.as_millis(), 835);
    /// ```
    #[must_use]
    pub fn from_clerk_number(number: i64) -> Option<Self> {
        if number.unsigned_abs() < MILLIS_FROM.unsigned_abs() {
            Self::from_seconds(number)
        } else {
            Self::from_millis(number)
        }
    }

    /// A moment from a JSON value: a whole or fractional number in seconds or milliseconds, or a text
    /// that [`FromStr`] reads. `None` for anything else.
    #[must_use]
    pub fn from_json(value: &Value) -> Option<Self> {
        match value {
            Value::Number(number) => match number.as_i64() {
                Some(number) => Self::from_clerk_number(number),
                None => number.as_f64().and_then(Self::from_clerk_float),
            },
            Value::String(text) => text.parse().ok(),
            _ => None,
        }
    }

    /// Milliseconds since the Unix epoch.
    #[must_use]
    pub fn as_millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the Unix epoch, rounded towards the past.
    #[must_use]
    pub fn as_seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    fn from_clerk_float(number: f64) -> Option<Self> {
        let millis = if number.abs() < MILLIS_FROM as f64 { number * 1000.0 } else { number };
        let in_range = millis >= Self::MIN.0 as f64 && millis <= Self::MAX.0 as f64;
        #[expect(clippy::cast_possible_truncation, reason = "both bounds are far inside an i64")]
        in_range.then(|| Self(millis.round() as i64))
    }
}

/// The text is no moment: neither ISO-8601 nor a number in range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a time: ISO-8601 text, or seconds or milliseconds since 1970")]
pub struct NotATime;

impl FromStr for UnixMillis {
    type Err = NotATime;

    /// Reads ISO-8601 text, in UTC where it names no offset, or the digits of a number in seconds or
    /// milliseconds.
    fn from_str(text: &str) -> Result<Self, NotATime> {
        let text = text.trim();
        if let Ok(number) = text.parse() {
            return Self::from_clerk_number(number).ok_or(NotATime);
        }
        let timestamp = match text.parse::<Timestamp>() {
            Ok(timestamp) => timestamp,
            Err(_) => {
                let civil = text.parse::<DateTime>().map_err(|_| NotATime)?;
                TimeZone::UTC.to_timestamp(civil).map_err(|_| NotATime)?
            }
        };
        Self::from_millis(
            timestamp.as_nanosecond().div_euclid(1_000_000).try_into().map_err(|_| NotATime)?,
        )
        .ok_or(NotATime)
    }
}

impl fmt::Display for UnixMillis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let timestamp = Timestamp::from_millisecond(self.0).map_err(|_| fmt::Error)?;
        write!(f, "{timestamp:.3}")
    }
}

impl From<UnixMillis> for SystemTime {
    fn from(moment: UnixMillis) -> Self {
        let distance = Duration::from_millis(moment.0.unsigned_abs());
        if moment.0 < 0 { UNIX_EPOCH - distance } else { UNIX_EPOCH + distance }
    }
}

impl Serialize for UnixMillis {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.unsigned_abs() < MILLIS_FROM.unsigned_abs() {
            serializer.collect_str(self)
        } else {
            serializer.serialize_i64(self.0)
        }
    }
}

impl<'de> Deserialize<'de> for UnixMillis {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(MomentVisitor)
    }
}

struct MomentVisitor;

impl Visitor<'_> for MomentVisitor {
    type Value = UnixMillis;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a time in seconds, milliseconds or ISO-8601 text")
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<UnixMillis, E> {
        UnixMillis::from_clerk_number(number)
            .ok_or_else(|| E::invalid_value(de::Unexpected::Signed(number), &self))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<UnixMillis, E> {
        i64::try_from(number)
            .ok()
            .and_then(UnixMillis::from_clerk_number)
            .ok_or_else(|| E::invalid_value(de::Unexpected::Unsigned(number), &self))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<UnixMillis, E> {
        UnixMillis::from_clerk_float(number)
            .ok_or_else(|| E::invalid_value(de::Unexpected::Float(number), &self))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<UnixMillis, E> {
        text.parse().map_err(E::custom)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn tells_seconds_milliseconds_and_text_apart() {
        for (value, expected) in [
            (json!(1_716_883_200), "2024-05-28T08:00:00.000Z"),
            (json!(1_716_883_200_123_i64), "2024-05-28T08:00:00.123Z"),
            (json!(1_716_883_200.123), "2024-05-28T08:00:00.123Z"),
            (json!(1_716_883_200_123.0), "2024-05-28T08:00:00.123Z"),
            (json!(99_999_999_999_i64), "5138-11-16T09:46:39.000Z"),
            (json!(100_000_000_000_i64), "1973-03-03T09:46:40.000Z"),
            (json!(0), "1970-01-01T00:00:00.000Z"),
            (json!(-1), "1969-12-31T23:59:59.000Z"),
            (json!("2024-05-28T08:00:00Z"), "2024-05-28T08:00:00.000Z"),
            (json!("2024-05-28T08:00:00.123456789Z"), "2024-05-28T08:00:00.123Z"),
            (json!("1969-12-31T23:59:59.9999Z"), "1969-12-31T23:59:59.999Z"),
            (json!("2024-05-28T10:00:00+02:00"), "2024-05-28T08:00:00.000Z"),
            (json!("2024-05-28 08:00:00"), "2024-05-28T08:00:00.000Z"),
            (json!("2024-05-28"), "2024-05-28T00:00:00.000Z"),
            (json!("1716883200"), "2024-05-28T08:00:00.000Z"),
            (json!(" 1716883200123 "), "2024-05-28T08:00:00.123Z"),
            (json!(UnixMillis::MAX.as_millis()), "9999-12-30T22:00:00.000Z"),
            (json!(UnixMillis::MIN.as_millis()), "0000-01-01T00:00:00.000Z"),
        ] {
            let moment = UnixMillis::from_json(&value).unwrap_or_else(|| panic!("refused {value}"));
            assert_eq!(moment.to_string(), expected, "{value}");
            assert_eq!(
                serde_json::from_value::<UnixMillis>(value.clone()).unwrap(),
                moment,
                "{value}"
            );
        }
    }

    #[test]
    fn refuses_what_is_no_moment_or_out_of_range() {
        for value in [
            json!(null),
            json!(true),
            json!([1]),
            json!(""),
            json!("soon"),
            json!("9999-12-31T23:59:59Z"),
            json!(i64::MAX),
            json!(i64::MIN),
            json!(u64::MAX),
            json!(1e300),
            json!(-1e300),
            json!(UnixMillis::MAX.as_millis() + 1),
            json!(UnixMillis::MIN.as_millis() - 1),
            json!("99999999999999999999"),
        ] {
            assert_eq!(UnixMillis::from_json(&value), None, "{value}");
            assert!(serde_json::from_value::<UnixMillis>(value.clone()).is_err(), "{value}");
        }
    }

    #[test]
    fn serializes_as_what_reads_as_itself_and_converts_to_system_time() {
        let moment = UnixMillis::from_clerk_number(-2).unwrap();
        assert_eq!(serde_json::to_string(&moment).unwrap(), "\"1969-12-31T23:59:58.000Z\"");
        let moment = UnixMillis::from_millis(MILLIS_FROM).unwrap();
        assert_eq!(serde_json::to_string(&moment).unwrap(), "100000000000");
        let moment = UnixMillis::from_clerk_number(-2).unwrap();
        assert_eq!(SystemTime::from(moment), UNIX_EPOCH - Duration::from_secs(2));
        assert_eq!(UnixMillis::from_millis(-1).unwrap().as_seconds(), -1);
    }
}
