//! `Sessions`: who is signed in, by Clerk's session token.
//!
//! The token is a JWT that Clerk's browser SDK keeps in the cookie `__session`, renews every minute, and that an app or
//! another service sends as `Authorization: Bearer`. It is verified by the instance's public key, without a request to Clerk.

use std::collections::HashSet;

use jsonwebtoken::errors::Error;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use serde::Deserialize;
use thiserror::Error as ThisError;

use crate::rs256;

const COOKIE: &str = "__session";
/// How far the clocks may be apart, as in Clerk's own libraries.
const LEEWAY_SECONDS: u64 = 5;

/// A session of a user, by a token that was verified.
#[derive(Clone, Debug)]
pub struct Session {
    /// The user: `user_…`.
    pub user_id: String,
    /// The session: `sess_…`.
    pub id: String,
}

/// Verifies session tokens of one Clerk instance.
pub struct Sessions {
    key: DecodingKey,
    validation: Validation,
    authorized_parties: HashSet<String>,
}

/// `CLERK_JWT_KEY` is not a public key.
#[derive(Debug, ThisError)]
#[error("expected the JWT public key of Clerk's API keys page, in PEM: {0}")]
pub struct NotAKey(Error);

/// Why a request is not signed in. It is for the log: the visitor learns only that a session is needed.
#[derive(Debug, ThisError)]
pub enum NotSignedIn {
    /// There is neither a header nor a cookie.
    #[error("no session token")]
    NoToken,
    /// The signature, the algorithm, the issuer or a time is wrong.
    #[error("the session token is not valid: {0}")]
    Invalid(#[from] Error),
    /// The instance signed it, for something else than a session.
    #[error("the token has the type `{0}`, which is not a session token's")]
    OtherType(String),
    /// A page of another origin got the token.
    #[error("the session token is for `{0}`, which is not in AUTHORIZED_PARTIES")]
    OtherParty(String),
    /// The user has a step to do, such as choosing an organization.
    #[error("the session is pending")]
    Pending,
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
    /// Session tokens alone have it: tokens of JWT templates do not.
    sid: String,
    /// The origin that the token was made for.
    azp: Option<String>,
    /// The session's status, in tokens of version 2.
    sts: Option<String>,
}

impl Sessions {
    /// By the instance's public key in PEM, its Frontend API URL, which is the issuer, and the origins of the app.
    ///
    /// # Errors
    ///
    /// If the key is not an RSA public key in PEM.
    pub fn new<'a>(
        key: &str,
        issuer: &str,
        authorized_parties: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, NotAKey> {
        rs256::install();
        // In a file of variables the line breaks of the key are often written as `\n`.
        let key = key.replace("\\n", "\n");
        let mut validation = Validation::new(Algorithm::RS256);
        validation.set_issuer(&[issuer.trim_end_matches('/')]);
        validation.set_required_spec_claims(&["exp", "iss", "nbf", "sub"]);
        validation.validate_nbf = true;
        // Session tokens have no audience, unless the app adds one.
        validation.validate_aud = false;
        validation.leeway = LEEWAY_SECONDS;
        Ok(Self {
            key: DecodingKey::from_rsa_pem(key.trim().as_bytes()).map_err(NotAKey)?,
            validation,
            authorized_parties: authorized_parties.into_iter().map(str::to_owned).collect(),
        })
    }

    /// The session that a request is part of, by its headers `Authorization` and `Cookie`.
    ///
    /// # Errors
    ///
    /// If there is no token, or it is not a valid one. A wrong `Authorization` is not made good by a cookie.
    pub fn find(
        &self,
        authorization: Option<&str>,
        cookies: Option<&str>,
    ) -> Result<Session, NotSignedIn> {
        let token = match authorization {
            Some(value) => bearer(value),
            None => cookies.and_then(session_cookie),
        };
        self.verify(token.ok_or(NotSignedIn::NoToken)?)
    }

    fn verify(&self, token: &str) -> Result<Session, NotSignedIn> {
        let token = decode::<Claims>(token, &self.key, &self.validation)?;
        match token.header.typ {
            Some(other) if !other.eq_ignore_ascii_case("JWT") => {
                return Err(NotSignedIn::OtherType(other));
            }
            _ => {}
        }
        let Claims { sub, sid, azp, sts } = token.claims;
        // Tokens of native apps have no `azp`.
        if let Some(party) = azp.filter(|party| !self.authorized_parties.contains(party)) {
            return Err(NotSignedIn::OtherParty(party));
        }
        if sts.as_deref() == Some("pending") {
            return Err(NotSignedIn::Pending);
        }
        Ok(Session { user_id: sub, id: sid })
    }
}

fn bearer(authorization: &str) -> Option<&str> {
    let (scheme, token) = authorization.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

fn session_cookie(cookies: &str) -> Option<&str> {
    let pairs = cookies.split(';').filter_map(|pair| pair.trim().split_once('='));
    pairs.filter(|(name, _)| *name == COOKIE).map(|(_, value)| value).find(|it| !it.is_empty())
}
