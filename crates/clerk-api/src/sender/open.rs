//! From the secret key to a session: a login from Clerk, and its one-time token exchanged for the session's.

use serde::Deserialize;
use serde_json::json;
use url::Url;

use super::error::{SenderAnswerError, SenderRequestError, SessionError};
use super::link::Link;
use super::session::{self, SenderSession};
use crate::client::Client;
use crate::error::RequestError;
use crate::options::ClientOptions;
use crate::peer::Peer;
use crate::requester::Requester;
use crate::token::Token;
use crate::transport::Call;

/// Logins that are asked for where the exchange of one fails and may succeed: a one-time token may be used up then.
const LOGINS_MAX: u32 = 3;
/// Clerk's code for an instance that has no application in the sender.
const APP_MISSING: &str = "svix_app_missing";
/// Clerk's code for one that has it already.
const APP_EXISTS: &str = "svix_app_exists";

#[derive(Deserialize)]
struct TokenAnswer {
    token: String,
}

impl Client {
    /// A session with Clerk's sender. Turns on webhooks for an instance that has none yet.
    ///
    /// # Errors
    /// [`SessionError`] names the step that failed.
    pub async fn sender_session(&self) -> Result<SenderSession, SessionError> {
        match self.find_sender_session().await? {
            Some(session) => Ok(session),
            None => self.exchange(self.turn_on().await?).await,
        }
    }

    /// The same, but it changes nothing: `None` for an instance that has no webhooks yet.
    ///
    /// # Errors
    /// [`SessionError`] names the step that failed.
    pub async fn find_sender_session(&self) -> Result<Option<SenderSession>, SessionError> {
        let mut logins = 0;
        loop {
            let Some(link) = self.login().await? else { return Ok(None) };
            logins += 1;
            match self.exchange(link).await {
                Err(error) if error.is_transient() && logins < LOGINS_MAX => {}
                session => return session.map(Some),
            }
        }
    }

    /// A login of the sender's page; `None` if the instance has no application there.
    async fn login(&self) -> Result<Option<Link>, SessionError> {
        match self.post("/webhooks/svix_url").await {
            Ok(body) => Ok(Some(Link::of_answer(&body)?)),
            Err(error) if has_code(&error, APP_MISSING) => Ok(None),
            Err(error) => Err(SessionError::Login(error)),
        }
    }

    async fn turn_on(&self) -> Result<Link, SessionError> {
        match self.post("/webhooks/svix").await {
            Ok(body) => Ok(Link::of_answer(&body)?),
            // Somebody else was quicker, or the answer to an earlier attempt was lost.
            Err(error) if has_code(&error, APP_EXISTS) => {
                let body = self.post("/webhooks/svix_url").await.map_err(SessionError::Login)?;
                Ok(Link::of_answer(&body)?)
            }
            Err(error) => Err(SessionError::TurnOn(error)),
        }
    }

    async fn post(&self, path: &str) -> Result<bytes::Bytes, RequestError> {
        let url = self.requester.url(path, None, &[]);
        Ok(self.requester.send(&Call::post(url, None)).await?.body)
    }

    async fn exchange(&self, link: Link) -> Result<SenderSession, SessionError> {
        let options = self.requester.options();
        let login_url = login_url(options, &link.region);
        // A one-time token is sent once.
        let once = ClientOptions { base_url: login_url, attempts_max: 1, ..options.clone() };
        let peer = Peer::SenderLogin(link.one_time_token.clone());
        let requester = Requester::new(peer, session::rate_share(), once)?;
        let url = requester.url("/api/v1/auth/one-time-token", None, &[]);
        let body = json!({"oneTimeToken": link.one_time_token.expose()}).to_string().into_bytes();
        let answer = requester.send(&Call::post(url, Some(body))).await;
        let answer = answer.map_err(|error| SessionError::Exchange(SenderRequestError(error)))?;
        let answer: Option<TokenAnswer> = serde_json::from_slice(&answer.body).ok();
        let token = answer.and_then(|answer| Token::parse(answer.token));
        let token = token.ok_or(SessionError::Token(SenderAnswerError))?;
        SenderSession::new(link.app_id, &link.region, token, options)
    }
}

/// Where one-time tokens are exchanged. The region was checked.
fn login_url(options: &ClientOptions, region: &str) -> Url {
    let of_region = || format!("https://app.svix.com/api/{region}").parse();
    options
        .sender_url
        .clone()
        .unwrap_or_else(|| of_region().expect("a region fits into an address"))
}

fn has_code(error: &RequestError, code: &str) -> bool {
    matches!(error, RequestError::Rejected(error) if error.code.as_deref() == Some(code))
}
