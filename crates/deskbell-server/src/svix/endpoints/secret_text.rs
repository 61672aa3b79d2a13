//! A secret that a client sends.

use std::fmt;

use deskbell_admin::SealedSecret;
use serde::Deserialize;

/// A secret, or a header's value, on its way in.
#[derive(Deserialize)]
#[serde(transparent)]
pub(in crate::svix) struct SecretText(pub(in crate::svix) String);

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText(redacted)")
    }
}

impl From<SecretText> for SealedSecret {
    fn from(secret: SecretText) -> Self {
        Self(secret.0)
    }
}
