//! The clock of this crate, for dates in replies and emails. Requests are signed by the store's.

use std::time::SystemTime;

#[expect(clippy::disallowed_methods, reason = "this is the clock")]
pub(crate) fn now() -> SystemTime {
    SystemTime::now()
}
