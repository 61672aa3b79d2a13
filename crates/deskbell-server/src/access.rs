//! Who may use an admin route: the admin token of the config, and the tokens of the store.

use std::fmt;
use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use deskbell_store::{AccessToken, AccessTokens, StoreError, TokenRole};
use http::HeaderMap;
use tokio::sync::Semaphore;

use crate::admin_token::{AdminToken, shown_token};
use crate::once_a_minute::OnceAMinute;
use crate::replies::{self, Refusal};

/// Tokens that are looked for in the store at the same time: whoever makes tokens up waits for others
/// who do, and leaves the store to events.
const LOOKUPS_MAX: usize = 4;

/// Decides who may use a route.
pub(crate) struct Access {
    admin: Option<AdminToken>,
    tokens: Option<Arc<dyn AccessTokens>>,
    lookups: Semaphore,
    refused: OnceAMinute,
}

impl Access {
    pub(crate) fn new(admin: Option<AdminToken>, tokens: Option<Arc<dyn AccessTokens>>) -> Self {
        let (lookups, refused) = (Semaphore::new(LOOKUPS_MAX), OnceAMinute::new());
        Self { admin, tokens, lookups, refused }
    }

    /// Whether the request has a token of this role, or of one that allows more.
    ///
    /// # Errors
    /// The reply to a request that has none.
    pub(crate) async fn check(&self, headers: &HeaderMap, role: TokenRole) -> Result<(), Response> {
        match self.role_of(headers).await {
            Ok(Some(found)) if found >= role => Ok(()),
            Ok(Some(found)) => {
                self.report(&format!("the token has the role `{found}`; the route needs `{role}`"));
                Err(replies::forbidden())
            }
            Ok(None) => {
                self.report(match shown_token(headers) {
                    Some(_) => "the token is wrong",
                    None => "the request has no token (`Authorization: Bearer TOKEN`)",
                });
                Err(replies::unauthorized())
            }
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "cannot look for the token of a request");
                Err(Refusal::Overloaded.into_response())
            }
        }
    }

    /// What the request's token allows; `None` if it has no valid one.
    async fn role_of(&self, headers: &HeaderMap) -> Result<Option<TokenRole>, StoreError> {
        if self.admin.as_ref().is_some_and(|admin| admin.admits(headers)) {
            return Ok(Some(TokenRole::Admin));
        }
        let shown = shown_token(headers).and_then(|shown| std::str::from_utf8(shown).ok());
        let token = shown.and_then(|shown| shown.parse::<AccessToken>().ok());
        let (Some(token), Some(tokens)) = (token, &self.tokens) else { return Ok(None) };
        // It is never closed.
        let _permit = self.lookups.acquire().await;
        let found = tokens.find_token(&token.hash()).await?;
        Ok(found.map(|found| found.role))
    }

    fn report(&self, error: &str) {
        match self.refused.count() {
            Some(refused) => tracing::warn!(refused, error, "rejected requests to admin routes"),
            None => tracing::debug!(error, "rejected a request to an admin route"),
        }
    }
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access").field("admin", &self.admin).finish_non_exhaustive()
    }
}
