//! The one place that reads the time: signatures contain it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The time in whole Unix seconds.
pub(crate) fn unix_seconds() -> u64 {
    since_epoch().as_secs()
}

#[expect(clippy::disallowed_methods, reason = "this is the clock")]
fn since_epoch() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// The time in whole Unix milliseconds.
pub(crate) fn unix_ms() -> i64 {
    i64::try_from(since_epoch().as_millis()).unwrap_or(i64::MAX)
}
