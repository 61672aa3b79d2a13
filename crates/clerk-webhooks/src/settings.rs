//! What a verifier goes by besides its keys.

use std::time::Duration;

/// How far a message's timestamp may be from now, in either direction, unless said otherwise.
pub const DEFAULT_TOLERANCE: Duration = Duration::from_secs(300);

/// How much of a body the extractors read, unless said otherwise.
pub const DEFAULT_BODY_BYTES_MAX: usize = 1024 * 1024;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    pub(crate) tolerance: Duration,
    pub(crate) body_bytes_max: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self { tolerance: DEFAULT_TOLERANCE, body_bytes_max: DEFAULT_BODY_BYTES_MAX }
    }
}
