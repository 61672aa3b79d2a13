//! Tokens, and the sessions of browsers.

use std::time::Duration;

use async_trait::async_trait;
use deskbell_admin::{Access, AdminError, Caller, NewSession, Session, Timestamp, TokenView};
use deskbell_server::CONFIGURED_TOKEN;
use deskbell_store::{AccessToken, NewBrowserSession, NewToken, TokenRole};
use sha2::{Digest, Sha256};

use super::local::LocalAdmin;
use super::token_name;
use crate::command_runner::{Answer, Request, SIGN_IN_LINK};
use crate::unavailable::unavailable;

/// A session ends this long after it was last used.
const IDLE_MAX: Duration = Duration::from_secs(12 * 3_600);
/// It ends this long after it began.
const LIFETIME: Duration = Duration::from_secs(7 * 24 * 3_600);
/// Bytes of the digest by which sessions know the config's token.
const DIGEST_BYTES: usize = 16;

impl LocalAdmin {
    /// The name under which the caller's sessions are stored: those of the config's token end with it.
    fn stored_name(&self, caller: &str) -> String {
        match self.config.server.admin_token.as_ref().filter(|_| caller == CONFIGURED_TOKEN) {
            Some(token) => {
                let digest = Sha256::digest(format!("deskbell session {}", token.expose()));
                format!("{CONFIGURED_TOKEN} {}", hex::encode(&digest[..DIGEST_BYTES]))
            }
            None => caller.to_owned(),
        }
    }

    /// Whose session has this stored name; `None` where the config's token is another one by now.
    fn caller_name(&self, stored: String) -> Option<String> {
        match stored.starts_with(CONFIGURED_TOKEN) {
            true => {
                (stored == self.stored_name(CONFIGURED_TOKEN)).then(|| CONFIGURED_TOKEN.to_owned())
            }
            false => Some(stored),
        }
    }

    /// Whether sessions of this name may begin: a token may have been revoked meanwhile.
    async fn may_begin(&self, name: &str) -> Result<bool, AdminError> {
        if [SIGN_IN_LINK, CONFIGURED_TOKEN].contains(&name) {
            return Ok(true);
        }
        let tokens = self.store.tokens().await.map_err(unavailable)?;
        Ok(tokens.iter().any(|token| token.name == name))
    }
}

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
        self.audit(caller, "token.create", &name, Some(role.to_string())).await;
        Ok(token)
    }

    async fn revoke_token(&self, caller: &Caller, name: &str) -> Result<(), AdminError> {
        let revoke = Request::RevokeToken { name: name.to_owned() };
        if self.commands.execute(revoke).await.map_err(unavailable)? != Answer::TokenRevoked {
            return Err(AdminError::not_found("token", name));
        }
        self.audit(caller, "token.revoke", name, None).await;
        Ok(())
    }

    async fn begin_session(&self, caller: &Caller) -> Result<NewSession, AdminError> {
        let secret = AccessToken::random();
        let new = NewBrowserSession {
            hash: secret.hash(),
            token_name: self.stored_name(&caller.name),
            role: caller.role,
            idle_max: IDLE_MAX,
            lifetime: LIFETIME,
        };
        let expires_at_ms = self.store.create_session(&new).await.map_err(unavailable)?;
        if !self.may_begin(&caller.name).await? {
            self.store.end_session(&new.hash).await.map_err(unavailable)?;
            return Err(AdminError::not_found("token", &caller.name));
        }
        self.audit(caller, "session.begin", &caller.name, None).await;
        let session = Session { caller: caller.clone(), expires_at: Timestamp(expires_at_ms) };
        Ok(NewSession { secret, session })
    }

    async fn redeem_code(&self, code: &AccessToken) -> Result<Option<NewSession>, AdminError> {
        if !self.store.redeem_sign_in_code(&code.hash()).await.map_err(unavailable)? {
            return Ok(None);
        }
        let caller = Caller { name: SIGN_IN_LINK.to_owned(), role: TokenRole::Admin };
        self.begin_session(&caller).await.map(Some)
    }

    async fn session(&self, secret: &AccessToken) -> Result<Option<Session>, AdminError> {
        let found = self.store.find_session(&secret.hash()).await.map_err(unavailable)?;
        Ok(found.and_then(|found| {
            let name = self.caller_name(found.token_name)?;
            let caller = Caller { name, role: found.role };
            Some(Session { caller, expires_at: Timestamp(found.expires_at_ms) })
        }))
    }

    async fn end_session(&self, secret: &AccessToken) -> Result<(), AdminError> {
        self.store.end_session(&secret.hash()).await.map_err(unavailable)
    }
}
