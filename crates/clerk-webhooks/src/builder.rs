//! The settings of a [`Verifier`], and the builder that collects them.

use std::borrow::Borrow;
use std::fmt;
use std::time::Duration;

use crate::secret::Secret;
use crate::verify::{Key, Verifier};

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

/// Collects the secrets and settings of a [`Verifier`].
#[must_use]
pub struct VerifierBuilder {
    keys: Vec<Key>,
    settings: Settings,
}

impl VerifierBuilder {
    pub(crate) fn new() -> Self {
        Self { keys: Vec::new(), settings: Settings::default() }
    }

    /// Adds a secret. They are tried in the order added.
    pub fn secret(mut self, secret: impl Borrow<Secret>) -> Self {
        self.keys.push(Key::new(secret.borrow()));
        self
    }

    /// Adds several secrets, as during a rotation.
    pub fn secrets<S: Borrow<Secret>>(mut self, secrets: impl IntoIterator<Item = S>) -> Self {
        self.keys.extend(secrets.into_iter().map(|secret| Key::new(secret.borrow())));
        self
    }

    /// How far a timestamp may be from now, in either direction, in whole seconds; just as far is accepted.
    /// [`DEFAULT_TOLERANCE`] otherwise.
    pub fn tolerance(mut self, tolerance: Duration) -> Self {
        self.settings.tolerance = tolerance;
        self
    }

    /// How much of a body the extractors and the layer read, in bytes; a larger one is answered with 413.
    /// [`DEFAULT_BODY_BYTES_MAX`] otherwise. A body that is passed to [`Verifier::verify`] was read already, and is verified
    /// whatever its size.
    pub fn body_bytes_max(mut self, body_bytes_max: usize) -> Self {
        self.settings.body_bytes_max = body_bytes_max;
        self
    }

    /// Makes the verifier.
    ///
    /// # Errors
    /// [`NoSecret`], where none was added.
    pub fn build(self) -> Result<Verifier, NoSecret> {
        if self.keys.is_empty() {
            return Err(NoSecret);
        }
        Ok(Verifier::with_keys(self.keys, self.settings))
    }
}

impl fmt::Debug for VerifierBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifierBuilder")
            .field("secrets", &self.keys.len())
            .field("settings", &self.settings)
            .finish()
    }
}

/// A verifier needs at least one secret.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("no signing secret was given")]
pub struct NoSecret;
