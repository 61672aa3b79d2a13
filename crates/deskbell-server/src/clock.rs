//! The server's clock: the one place of this crate that asks what time it is.

use std::sync::OnceLock;
use std::time::{Instant, SystemTime};

/// The time against which signatures' timestamps are checked.
#[expect(clippy::disallowed_methods, reason = "this is the clock")]
pub(crate) fn now() -> SystemTime {
    SystemTime::now()
}

/// Milliseconds since this was first asked, which never go back. They fit into an atomic.
pub(crate) fn uptime_ms() -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    let elapsed = START.get_or_init(Instant::now).elapsed();
    u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)
}
