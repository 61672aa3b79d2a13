//! The server's own clock, which never goes back.

use std::sync::OnceLock;
use std::time::Instant;

/// Milliseconds since this was first asked. They fit into an atomic.
pub(crate) fn uptime_ms() -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    let elapsed = START.get_or_init(Instant::now).elapsed();
    u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)
}
