//! The sender writes times as text, `2026-11-21T08:00:00.123Z`; here they are Unix milliseconds.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};

/// The text of a time; the nearest that can be written for one that is out of range.
pub(crate) fn text(unix_ms: i64) -> String {
    let bound = if unix_ms < 0 { Timestamp::MIN } else { Timestamp::MAX };
    Timestamp::from_millisecond(unix_ms).unwrap_or(bound).to_string()
}

/// Reads such a text.
pub(crate) fn unix_ms<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    let text = String::deserialize(deserializer)?;
    let time: Timestamp = text.parse().map_err(serde::de::Error::custom)?;
    Ok(time.as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_and_read_back() {
        #[derive(Deserialize)]
        struct Read(#[serde(deserialize_with = "unix_ms")] i64);

        for (unix_ms, expected) in
            [(1_767_225_600_123, "2026-01-01T00:00:00.123Z"), (0, "1970-01-01T00:00:00Z")]
        {
            assert_eq!(text(unix_ms), expected);
            let Read(read) = serde_json::from_str(&format!("\"{expected}\"")).unwrap();
            assert_eq!(read, unix_ms);
        }
        let Read(read) = serde_json::from_str("\"2026-01-01T01:00:00.123456+01:00\"").unwrap();
        assert_eq!(read, 1_767_225_600_123);
        assert!(text(i64::MAX).starts_with("9999-"));
    }
}
