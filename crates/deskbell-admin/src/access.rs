//! Who asks: tokens, and the sessions of browsers.

use async_trait::async_trait;
use deskbell_store::{AccessToken, TokenRole};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{AdminError, Timestamp};

/// Who made a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The token's name; `admin token` for the one of the config.
    pub name: String,
    pub role: TokenRole,
}

impl Caller {
    /// Whether payloads may be shown whole.
    #[must_use]
    pub fn sees_payloads(&self) -> bool {
        self.role >= TokenRole::Reader
    }
}

/// A token of the store, without its text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TokenView {
    pub name: String,
    /// `viewer`, `reader` or `admin`.
    #[schema(value_type = String)]
    pub role: TokenRole,
    pub created_at: Timestamp,
}

/// A browser's session that was just made.
#[derive(Debug, Clone)]
pub struct NewSession {
    /// The cookie's text. It is shown once.
    pub secret: AccessToken,
    pub session: Session,
}

/// A browser's session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    pub caller: Caller,
    /// When it ends, whatever happens until then.
    pub expires_at: Timestamp,
}

/// Finds out who asks, and changes who may.
#[async_trait]
pub trait Access: Send + Sync {
    /// Whose token of the store this is.
    async fn token(&self, token: &AccessToken) -> Result<Option<Caller>, AdminError>;

    async fn tokens(&self) -> Result<Vec<TokenView>, AdminError>;

    /// Makes a token; its text is shown once.
    async fn create_token(
        &self,
        caller: &Caller,
        name: &str,
        role: TokenRole,
    ) -> Result<AccessToken, AdminError>;

    /// Deletes a token, and ends the sessions that it began.
    async fn revoke_token(&self, caller: &Caller, name: &str) -> Result<(), AdminError>;

    /// Begins a browser's session for whoever showed a token.
    async fn begin_session(&self, caller: &Caller) -> Result<NewSession, AdminError>;

    /// Begins a browser's session of the role admin for whoever has this one-time code, which is used
    /// up. `None` if there is no such code, or its 15 minutes are over.
    async fn redeem_code(&self, code: &AccessToken) -> Result<Option<NewSession>, AdminError>;

    /// Whose session this is, if it has not expired; it has been used just now.
    async fn session(&self, secret: &AccessToken) -> Result<Option<Session>, AdminError>;

    async fn end_session(&self, secret: &AccessToken) -> Result<(), AdminError>;
}
