//! Builds a [`Verifier`] of several secrets or with settings of its own.

use std::borrow::Borrow;
use std::fmt;
use std::time::Duration;

use crate::key::Key;
use crate::secret::Secret;
use crate::settings::Settings;
use crate::verify::Verifier;

impl Verifier {
    /// For several secrets or another tolerance.
    pub fn builder() -> VerifierBuilder {
        VerifierBuilder::new()
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
    /// [`DEFAULT_TOLERANCE`](crate::DEFAULT_TOLERANCE) otherwise.
    pub fn tolerance(mut self, tolerance: Duration) -> Self {
        self.settings.tolerance = tolerance;
        self
    }

    /// How much of a body the extractors and the layer read, in bytes; a larger one is answered with 413.
    /// [`DEFAULT_BODY_BYTES_MAX`](crate::DEFAULT_BODY_BYTES_MAX) otherwise. A body that is passed to [`Verifier::verify`] was read already, and is verified
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
#[error("no signing secret given")]
pub struct NoSecret;
