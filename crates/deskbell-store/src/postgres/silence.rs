//! What a server that has gone silent amounts to.

use std::io;
use std::time::Duration;

/// The error for a server that has not answered for this long.
pub(super) fn silent(time: Duration) -> sqlx::Error {
    let text = format!("the server did not answer for {} seconds", time.as_secs());
    sqlx::Error::Io(io::Error::new(io::ErrorKind::TimedOut, text))
}
