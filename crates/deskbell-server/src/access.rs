//! Who asks: whoever has the admin token of the config, a token of the store, or a browser's session.

use std::fmt;
use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use deskbell_admin::{Admin, AdminError, Caller, NewSession};
use deskbell_store::{AccessToken, TokenRole};
use http::HeaderMap;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::admin_token::{AdminToken, shown_token};
use crate::once_a_minute::OnceAMinute;
use crate::problem::Problem;
use crate::session_cookie;

/// Secrets that are looked for in the store at the same time: whoever makes tokens up waits for others
/// who do, and leaves the store to events.
const LOOKUPS_MAX: usize = 4;
/// Requests that wait for such a lookup; further ones get 503.
const WAITING_MAX: usize = 64;
/// The name of whoever has the admin token of the config.
pub const CONFIGURED_TOKEN: &str = "admin token";

/// Finds out who asks.
pub(crate) struct Access {
    token: Option<AdminToken>,
    admin: Arc<dyn Admin>,
    lookups: Semaphore,
    waiting: Semaphore,
    refused: OnceAMinute,
}

/// Who asks, and how they said so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asking {
    pub(crate) caller: Caller,
    /// By a cookie, which a browser also sends with what another site has it ask for.
    pub(crate) by_session: bool,
}

/// Why it was not found out who asks.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AccessError {
    #[error("too many requests at the same time")]
    Crowded,
    #[error(transparent)]
    Admin(#[from] AdminError),
}

impl From<AccessError> for Problem {
    fn from(error: AccessError) -> Self {
        match error {
            AccessError::Crowded => Self::overloaded(),
            AccessError::Admin(error) => error.into(),
        }
    }
}

impl Access {
    pub(crate) fn new(token: Option<AdminToken>, admin: Arc<dyn Admin>) -> Self {
        let (lookups, waiting) = (Semaphore::new(LOOKUPS_MAX), Semaphore::new(WAITING_MAX));
        Self { token, admin, lookups, waiting, refused: OnceAMinute::new() }
    }

    /// Who makes a request with these headers. If it has a token, its cookie does not count.
    pub(crate) async fn asking(
        &self,
        headers: &HeaderMap,
        is_secure: bool,
    ) -> Result<Option<Asking>, AccessError> {
        if let Some(shown) = shown_token(headers) {
            let caller = self.with_token(shown).await?;
            return Ok(caller.map(|caller| Asking { caller, by_session: false }));
        }
        let Some(secret) = session_cookie::secret(headers, is_secure) else { return Ok(None) };
        let _permits = self.lookup().await?;
        let session = self.admin.session(&secret).await?;
        Ok(session.map(|session| Asking { caller: session.caller, by_session: true }))
    }

    /// Whose token this is.
    pub(crate) async fn with_token(&self, shown: &[u8]) -> Result<Option<Caller>, AccessError> {
        if self.token.as_ref().is_some_and(|token| token.is(shown)) {
            return Ok(Some(Caller { name: CONFIGURED_TOKEN.to_owned(), role: TokenRole::Admin }));
        }
        let token = std::str::from_utf8(shown).ok().and_then(|shown| shown.parse().ok());
        let Some(token) = token else { return Ok(None) };
        let _permits = self.lookup().await?;
        Ok(self.admin.token(&token).await?)
    }

    /// The session that a one-time code begins, which is used up.
    pub(crate) async fn with_code(
        &self,
        code: &AccessToken,
    ) -> Result<Option<NewSession>, AccessError> {
        let _permits = self.lookup().await?;
        Ok(self.admin.redeem_code(code).await?)
    }

    async fn lookup(&self) -> Result<[SemaphorePermit<'_>; 2], AccessError> {
        let waiting = self.waiting.try_acquire().map_err(|_| AccessError::Crowded)?;
        let lookup = self.lookups.acquire().await.map_err(|_| AccessError::Crowded)?;
        Ok([waiting, lookup])
    }

    /// Refuses a request of nobody who is known.
    pub(crate) fn refuse_stranger(&self, headers: &HeaderMap) -> Response {
        self.report(match shown_token(headers) {
            Some(_) => "the token is wrong",
            None => "the request has no token (`Authorization: Bearer TOKEN`) and no session",
        });
        Problem::unauthorized().into_response()
    }

    /// Whether this role allows what needs that one.
    pub(crate) fn check_role(&self, has: TokenRole, needs: TokenRole) -> Result<(), Problem> {
        if has >= needs {
            return Ok(());
        }
        self.report(&format!("the token has the role `{has}`; the route needs `{needs}`"));
        let detail = format!("this needs the role `{needs}`; yours is `{has}`");
        Err(Problem::forbidden(detail))
    }

    /// Logs that a request was refused.
    pub(crate) fn report(&self, error: &str) {
        match self.refused.count() {
            Some(refused) => tracing::warn!(refused, error, "rejected requests to admin routes"),
            None => tracing::debug!(error, "rejected a request to an admin route"),
        }
    }
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access").field("token", &self.token).finish_non_exhaustive()
    }
}
