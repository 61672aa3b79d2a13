//! The server's clock: the one place of this crate that asks what time it is.

use std::time::SystemTime;

/// The time against which signatures' timestamps are held.
#[expect(clippy::disallowed_methods, reason = "this is the clock")]
pub(crate) fn now() -> SystemTime {
    SystemTime::now()
}
