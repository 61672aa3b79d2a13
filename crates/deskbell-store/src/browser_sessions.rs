//! The sessions of browsers, and the one-time codes that begin some.

use std::time::Duration;

use async_trait::async_trait;

use crate::StoreError;
use crate::access_token::{TokenHash, TokenRole};
use crate::clock::whole_ms;

/// How long after a session was used it is not written that it is used again.
pub(crate) const USED_EVERY_MS: i64 = 60_000;
/// A time far away that can still be added to any other.
const AGE_MAX_MS: i64 = i64::MAX / 4;

/// A session to be stored. Of its secret only the hash is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewBrowserSession {
    pub hash: TokenHash,
    /// The name of the token that began it.
    pub token_name: String,
    pub role: TokenRole,
    /// It ends this long after it was last used, or up to a minute earlier.
    pub idle_max: Duration,
    /// It ends this long after it began.
    pub lifetime: Duration,
}

/// A session that has not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrowserSession {
    pub token_name: String,
    pub role: TokenRole,
    /// When it ends however much it is used, in milliseconds since the Unix epoch, by the store's clock.
    pub expires_at_ms: i64,
}

/// Sessions of browsers, on every process that shares the store.
#[async_trait]
pub trait BrowserSessions: Send + Sync + 'static {
    /// Stores a session, and deletes those that have ended. When it ends however much it is used, in
    /// milliseconds since the Unix epoch.
    ///
    /// # Errors
    /// Nothing was stored.
    async fn create_session(&self, session: &NewBrowserSession) -> Result<i64, StoreError>;

    /// The session with this hash, if it has not ended; it has been used just now. That is written at
    /// most once a minute.
    ///
    /// # Errors
    /// The store could not be read, or not be written to.
    async fn find_session(&self, hash: &TokenHash) -> Result<Option<BrowserSession>, StoreError>;

    /// # Errors
    /// The session may go on.
    async fn end_session(&self, hash: &TokenHash) -> Result<(), StoreError>;

    /// Ends the sessions that this token began.
    ///
    /// # Errors
    /// They go on.
    async fn end_sessions_of(&self, token_name: &str) -> Result<(), StoreError>;

    /// Stores a one-time code that is valid for this long, and deletes those that are no longer.
    ///
    /// # Errors
    /// Nothing was stored.
    async fn create_sign_in_code(
        &self,
        hash: &TokenHash,
        lifetime: Duration,
    ) -> Result<(), StoreError>;

    /// Uses a code up. Whether it was valid: of several that try at once, one succeeds.
    ///
    /// # Errors
    /// It is not known whether it was used up.
    async fn redeem_sign_in_code(&self, hash: &TokenHash) -> Result<bool, StoreError>;
}

impl NewBrowserSession {
    pub(crate) fn idle_max_ms(&self) -> i64 {
        addable_ms(self.idle_max)
    }

    pub(crate) fn lifetime_ms(&self) -> i64 {
        addable_ms(self.lifetime)
    }
}

/// Milliseconds that can be added to a time.
pub(crate) fn addable_ms(duration: Duration) -> i64 {
    whole_ms(duration).min(AGE_MAX_MS)
}
