//! The one place that reads the time: signatures contain it.

use std::time::{SystemTime, UNIX_EPOCH};

/// The time in whole Unix seconds.
#[expect(clippy::disallowed_methods, reason = "this is the clock")]
pub(crate) fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
