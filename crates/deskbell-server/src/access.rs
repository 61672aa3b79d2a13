//! Who asks: whoever has the admin token of the config, a token of the store, or a browser's session.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use deskbell_admin::{Admin, Caller, NewSession};
use deskbell_store::{AccessToken, TokenRole};
use http::HeaderMap;

use crate::admin_token::{AdminToken, shown_token};
use crate::once_a_minute::OnceAMinute;
use crate::problem::Problem;
use crate::session_cookie;
pub(crate) use error::AccessError;
pub(crate) use lookups::Lookups;

mod error;
mod lookups;

/// The name of whoever has the admin token of the config.
pub const CONFIGURED_TOKEN: &str = "admin token";

/// Finds out who asks.
pub(crate) struct Access {
    token: Option<AdminToken>,
    admin: Arc<dyn Admin>,
    lookups: Arc<Lookups>,
    refused: OnceAMinute,
}

/// What a request shows of who makes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Credentials {
    /// The admin token of the config.
    AdminToken,
    Token(AccessToken),
    /// A session's secret, in a cookie, which a browser also sends with what another site has it ask for.
    Session(AccessToken),
    /// A token that is none, or nothing.
    Nothing,
}

impl Access {
    pub(crate) fn new(
        token: Option<AdminToken>,
        admin: Arc<dyn Admin>,
        lookups: Arc<Lookups>,
    ) -> Self {
        Self { token, admin, lookups, refused: OnceAMinute::new() }
    }

    /// What these headers show. If there is a token, the cookie does not count.
    pub(crate) fn credentials(&self, headers: &HeaderMap, is_secure: bool) -> Credentials {
        match shown_token(headers) {
            Some(shown) => self.credentials_of(shown),
            None => session_cookie::secret(headers, is_secure)
                .map_or(Credentials::Nothing, Credentials::Session),
        }
    }

    /// What this token is.
    pub(crate) fn credentials_of(&self, shown: &[u8]) -> Credentials {
        if self.token.as_ref().is_some_and(|token| token.is(shown)) {
            return Credentials::AdminToken;
        }
        let token = std::str::from_utf8(shown).ok().and_then(|shown| shown.parse().ok());
        token.map_or(Credentials::Nothing, Credentials::Token)
    }

    /// Whose credentials these are, which a client shows.
    pub(crate) async fn caller(
        &self,
        credentials: &Credentials,
        client: IpAddr,
    ) -> Result<Option<Caller>, AccessError> {
        match credentials {
            Credentials::Nothing => Ok(None),
            Credentials::AdminToken => {
                Ok(Some(Caller { name: CONFIGURED_TOKEN.to_owned(), role: TokenRole::Admin }))
            }
            Credentials::Token(token) => {
                self.lookups.find(token, client, self.admin.token(token)).await
            }
            Credentials::Session(secret) => {
                let session = self.lookups.find(secret, client, self.admin.session(secret)).await?;
                Ok(session.map(|session| session.caller))
            }
        }
    }

    /// The session that a one-time code begins, which is used up.
    pub(crate) async fn with_code(
        &self,
        code: &AccessToken,
        client: IpAddr,
    ) -> Result<Option<NewSession>, AccessError> {
        self.lookups.find(code, client, self.admin.redeem_code(code)).await
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
