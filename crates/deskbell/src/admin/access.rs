//! Tokens, and the sessions of browsers.

use std::time::Duration;

use async_trait::async_trait;
use deskbell_admin::{Access, AdminError, Caller, NewSession, Session, Timestamp, TokenView};
use deskbell_store::{AccessToken, NewBrowserSession, NewToken, TokenRole};

use super::local::LocalAdmin;
use super::token_name;
use crate::unavailable::unavailable;

/// A session ends this long after it was last used.
const IDLE_MAX: Duration = Duration::from_secs(12 * 3_600);
/// It ends this long after it began.
const LIFETIME: Duration = Duration::from_secs(7 * 24 * 3_600);
/// Whose sessions are begun by the link that `serve` prints.
const LINK: &str = "sign-in link";

#[async_trait]
impl Access for LocalAdmin {
    async fn token(&self, token: &AccessToken) -> Result<Option<Caller>, AdminError> {
        let found = self.store.find_token(&token.hash()).await.map_err(unavailable)?;
        Ok(found.map(|found| Caller { name: found.name, role: found.role }))
    }

    async fn tokens(&self) -> Result<Vec<TokenView>, AdminError> {
        let tokens = self.store.tokens().await.map_err(unavailable)?;
        let view = |token: deskbell_store::StoredToken| TokenView {
            name: token.name,
            role: token.role,
            created_at: Timestamp(token.created_at_ms),
        };
        Ok(tokens.into_iter().map(view).collect())
    }

    async fn create_token(
        &self,
        caller: &Caller,
        name: &str,
        role: TokenRole,
    ) -> Result<AccessToken, AdminError> {
        let name =
            token_name::check(name).map_err(|message| AdminError::invalid("name", message))?;
        let token = AccessToken::random();
        let new = NewToken { name: name.clone(), role, hash: token.hash() };
        if !self.store.create_token(&new).await.map_err(unavailable)? {
            return Err(AdminError::Conflict(format!("a token `{name}` already exists")));
        }
        self.audit(caller, "token.create", &name, Some(role.to_string())).await?;
        Ok(token)
    }

    async fn revoke_token(&self, caller: &Caller, name: &str) -> Result<(), AdminError> {
        if !self.store.revoke_token(name).await.map_err(unavailable)? {
            return Err(AdminError::not_found("token", name));
        }
        self.store.end_sessions_of(name).await.map_err(unavailable)?;
        self.audit(caller, "token.revoke", name, None).await
    }

    async fn begin_session(&self, caller: &Caller) -> Result<NewSession, AdminError> {
        let secret = AccessToken::random();
        let new = NewBrowserSession {
            hash: secret.hash(),
            token_name: caller.name.clone(),
            role: caller.role,
            idle_max: IDLE_MAX,
            lifetime: LIFETIME,
        };
        let expires_at_ms = self.store.create_session(&new).await.map_err(unavailable)?;
        self.audit(caller, "session.begin", &caller.name, None).await?;
        let session = Session { caller: caller.clone(), expires_at: Timestamp(expires_at_ms) };
        Ok(NewSession { secret, session })
    }

    async fn redeem_code(&self, code: &AccessToken) -> Result<Option<NewSession>, AdminError> {
        if !self.store.redeem_sign_in_code(&code.hash()).await.map_err(unavailable)? {
            return Ok(None);
        }
        let caller = Caller { name: LINK.to_owned(), role: TokenRole::Admin };
        self.begin_session(&caller).await.map(Some)
    }

    async fn session(&self, secret: &AccessToken) -> Result<Option<Session>, AdminError> {
        let found = self.store.find_session(&secret.hash()).await.map_err(unavailable)?;
        Ok(found.map(|found| Session {
            caller: Caller { name: found.token_name, role: found.role },
            expires_at: Timestamp(found.expires_at_ms),
        }))
    }

    async fn end_session(&self, secret: &AccessToken) -> Result<(), AdminError> {
        self.store.end_session(&secret.hash()).await.map_err(unavailable)
    }
}
