//! Verification: headers, raw body and the time in, a [`Verified`] message out.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::HeaderMap;

use crate::env::FromEnvError;
use crate::headers::SignatureHeaders;
use crate::key::{Content, Key, LazyContent, ed25519_matches};
use crate::secret::Secret;
use crate::settings::Settings;
use crate::verified::{Verified, VerifiedMessage};
use crate::verify_error::VerifyError;

/// An Ed25519 check costs 40 times an HMAC, and the header is a stranger's: signatures beyond this many checks do not
/// match. A sender in the middle of a rotation puts two or three.
const ED25519_CHECKS_MAX: usize = 32;

/// Verifies messages against one or more secrets. A clone is cheap and shares the keys.
///
/// ```
/// use clerk_webhooks::{Secret, Verifier};
/// use std::time::{Duration, SystemTime};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let verifier = Verifier::builder()
///     .secret(Secret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")?)
///     .tolerance(Duration::from_secs(60))
///     .build()?;
/// let error = verifier.verify(&http::HeaderMap::new(), b"{}", SystemTime::UNIX_EPOCH).unwrap_err();
/// assert_eq!(error.code(), "missing_header");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Verifier {
    keys: Arc<[Key]>,
    settings: Settings,
}

impl Verifier {
    /// Verifies against one secret, with [`DEFAULT_TOLERANCE`](crate::DEFAULT_TOLERANCE).
    #[must_use]
    pub fn new(secret: impl Borrow<Secret>) -> Self {
        Self::with_keys([Key::new(secret.borrow())], Settings::default())
    }

    /// Verifies against what [`Secret::list_from_env`] finds. Read that yourself to learn of a variable that was ignored.
    ///
    /// # Errors
    /// As [`Secret::list_from_env`].
    pub fn from_env() -> Result<Self, FromEnvError> {
        let secrets = Secret::list_from_env()?.secrets;
        Ok(Self::with_keys(secrets.iter().map(Key::new), Settings::default()))
    }

    pub(crate) fn with_keys(keys: impl IntoIterator<Item = Key>, settings: Settings) -> Self {
        Self { keys: keys.into_iter().collect(), settings }
    }

    /// How much of a body the extractors read.
    #[must_use]
    pub fn body_bytes_max(&self) -> usize {
        self.settings.body_bytes_max
    }

    /// How far a timestamp may be from the present, in either direction.
    #[must_use]
    pub fn tolerance(&self) -> Duration {
        self.settings.tolerance
    }

    /// Verifies a request: its headers, its body as the raw bytes that came, and what time it is.
    ///
    /// # Errors
    /// [`VerifyError`] says what was wrong and what to look at.
    pub fn verify<'a>(
        &self,
        headers: &'a HeaderMap,
        body: &'a [u8],
        now: SystemTime,
    ) -> Result<Verified<'a>, VerifyError> {
        self.verify_headers(&SignatureHeaders::from_map(headers)?, body, now)
    }

    /// [`verify`](Self::verify) with a body to keep: the result shares `body` and copies nothing of it.
    ///
    /// # Errors
    /// As [`verify`](Self::verify).
    pub fn verify_bytes(
        &self,
        headers: &HeaderMap,
        body: &Bytes,
        now: SystemTime,
    ) -> Result<VerifiedMessage, VerifyError> {
        let verified = self.verify(headers, body, now)?;
        Ok(verified.with_body(body.clone()))
    }

    /// [`verify`](Self::verify) for frameworks that do not have their headers in an [`http::HeaderMap`].
    ///
    /// # Errors
    /// As [`verify`](Self::verify).
    pub fn verify_headers<'a>(
        &self,
        headers: &SignatureHeaders<'a>,
        body: &'a [u8],
        now: SystemTime,
    ) -> Result<Verified<'a>, VerifyError> {
        let timestamp = parse_timestamp(headers)?;
        let content = Content { id: headers.id, timestamp: headers.timestamp, body };
        let secret_index = self.find_match(headers, content)?;
        check_age(timestamp, now, self.settings.tolerance)?;
        Ok(Verified { id: headers.id, timestamp, body, secret_index })
    }

    fn find_match(
        &self,
        headers: &SignatureHeaders<'_>,
        content: Content<'_>,
    ) -> Result<usize, VerifyError> {
        let mut whole = LazyContent::new(content);
        let mut ed25519_checks = 0;
        for (index, key) in self.keys.iter().enumerate() {
            let matched = match key {
                Key::V1(key) => {
                    let expected = key.sign(content);
                    tokens(headers)
                        .any(|token| matches!(token, Token::V1(text) if expected.matches(text)))
                }
                Key::V1a(key) => tokens(headers)
                    .filter_map(
                        |token| if let Token::V1a(text) = token { Some(text) } else { None },
                    )
                    .any(|text| {
                        ed25519_checks += 1;
                        ed25519_checks <= ED25519_CHECKS_MAX
                            && ed25519_matches(key, whole.get(), text)
                    }),
            };
            if matched {
                return Ok(index);
            }
        }
        Err(self.no_match(headers))
    }

    fn no_match(&self, headers: &SignatureHeaders<'_>) -> VerifyError {
        match tokens(headers).count() {
            0 => VerifyError::MalformedSignature { name: headers.family.signature() },
            signatures => VerifyError::NoMatch { signatures, secrets: self.keys.len() },
        }
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier")
            .field("secrets", &self.keys.len())
            .field("settings", &self.settings)
            .finish()
    }
}

enum Token<'a> {
    V1(&'a [u8]),
    V1a(&'a [u8]),
}

/// The signatures of known versions. Everything else in the header is passed over.
fn tokens<'a>(headers: &SignatureHeaders<'a>) -> impl Iterator<Item = Token<'a>> {
    headers.signatures().filter_map(|token| {
        if let Some(text) = token.strip_prefix(b"v1,") {
            Some(Token::V1(text))
        } else {
            token.strip_prefix(b"v1a,").map(Token::V1a)
        }
    })
}

/// ASCII digits only: `u64::from_str` alone would take a `+`.
fn parse_timestamp(headers: &SignatureHeaders<'_>) -> Result<u64, VerifyError> {
    let text = headers.timestamp;
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse()
        .ok()
        .filter(|_| digits)
        .ok_or(VerifyError::MalformedTimestamp { name: headers.family.timestamp() })
}

/// Compares whole seconds, so that a fraction of the clock cannot decide.
fn check_age(timestamp: u64, now: SystemTime, tolerance: Duration) -> Result<(), VerifyError> {
    let now = now.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let tolerance = Duration::from_secs(tolerance.as_secs());
    let age = Duration::from_secs(now.saturating_sub(timestamp));
    let ahead = Duration::from_secs(timestamp.saturating_sub(now));
    if age > tolerance {
        return Err(VerifyError::TooOld { age, tolerance });
    }
    if ahead > tolerance {
        return Err(VerifyError::TooNew { ahead, tolerance });
    }
    Ok(())
}
