//! Signing secrets that nobody has yet.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rand::Rng;

const SECRET_BYTES: usize = 24;

/// A signing secret in the form that Clerk's sender gives.
#[must_use]
pub fn new_secret() -> String {
    format!("whsec_{}", BASE64_STANDARD.encode(rand::rng().random::<[u8; SECRET_BYTES]>()))
}
