//! The way into the sender with the secret key of a source: a session, which is kept in memory until it ends.

use clerk_api::sender::{SenderSession, SessionError};
use clerk_api::{ApiError, Client};

/// The sender's session of one source, when there is one.
#[derive(Debug)]
pub(crate) struct SenderLogin {
    client: Client,
    session: Option<SenderSession>,
}

impl SenderLogin {
    pub(crate) fn new(client: Client) -> Self {
        Self { client, session: None }
    }

    /// The client that logs in.
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// The session; `None` if the instance has no webhooks yet.
    pub(crate) async fn find(&mut self) -> Result<Option<SenderSession>, SessionError> {
        if self.session.is_none() {
            self.session = self.client.find_sender_session().await?;
        }
        Ok(self.session.clone())
    }

    /// The session. Turns on webhooks for an instance that has none yet.
    pub(crate) async fn open(&mut self) -> Result<SenderSession, SessionError> {
        if let Some(session) = &self.session {
            return Ok(session.clone());
        }
        let session = self.client.sender_session().await?;
        self.session = Some(session.clone());
        Ok(session)
    }

    /// After a failure: whether the session has ended, so that the next one is new.
    pub(crate) fn has_ended(&mut self, error: Option<&ApiError>) -> bool {
        let is_refused = error.is_some_and(|error| matches!(error.status, 401 | 403));
        is_refused && self.session.take().is_some()
    }
}
