//! A session with the sender: the address of its region, and the token, which is kept in memory alone.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;
use url::Url;

use super::error::{ReadError, SenderAnswerError, SenderRequestError, SessionError};
use super::json::parsed;
use super::page::{PAGES_MAX, SenderPage, query};
use crate::error::RequestError;
use crate::options::{ClientError, ClientOptions};
use crate::peer::Peer;
use crate::rate_share::RateShare;
use crate::requester::Requester;
use crate::token::Token;
use crate::transport::Call;

/// Requests of one session in [`WINDOW`], far below what the sender allows.
const REQUESTS_MAX: u32 = 100;
const WINDOW: Duration = Duration::from_secs(10);

/// A session with the sender of one Clerk instance. Clones share it. It ends by itself after some hours; then requests
/// are rejected with 401, and a new one is needed.
#[derive(Clone)]
pub struct SenderSession {
    requester: Arc<Requester>,
    app_id: String,
}

pub(crate) fn rate_share() -> RateShare {
    RateShare::new(REQUESTS_MAX, WINDOW)
}

impl SenderSession {
    pub(crate) fn new(
        app_id: String,
        region: &str,
        token: Token,
        options: &ClientOptions,
    ) -> Result<Self, SessionError> {
        let of_region = || format!("https://api.{region}.svix.com").parse();
        let base_url: Url = match &options.sender_url {
            Some(url) => url.clone(),
            // A name such as `-` makes no host.
            None => of_region().map_err(|_| ClientError::Address)?,
        };
        let options = ClientOptions { base_url, ..options.clone() };
        let requester = Requester::new(Peer::Sender(token), rate_share(), options)?;
        Ok(Self { requester: Arc::new(requester), app_id })
    }

    /// The instance's application in the sender, `app_…`.
    #[must_use]
    pub fn app_id(&self) -> &str {
        &self.app_id
    }

    /// An address of the application.
    pub(crate) fn app_url(&self, path: &str, query: &[(&str, String)]) -> Url {
        self.requester.url(&format!("/api/v1/app/{}{path}", self.app_id), None, query)
    }

    pub(crate) async fn send(&self, call: &Call) -> Result<bytes::Bytes, SenderRequestError> {
        Ok(self.requester.send(call).await.map_err(SenderRequestError)?.body)
    }

    /// One object, or `None` if the sender does not have it.
    pub(crate) async fn find<T: DeserializeOwned>(
        &self,
        what: &'static str,
        url: Url,
    ) -> Result<Option<T>, ReadError> {
        match self.send(&Call::get(url)).await {
            Ok(body) => {
                Ok(Some(parsed(&body).map_err(|source| ReadError::Answer { what, source })?))
            }
            Err(SenderRequestError(RequestError::Rejected(error))) if error.status == 404 => {
                Ok(None)
            }
            Err(source) => Err(ReadError::Request { what, source }),
        }
    }

    pub(crate) async fn page<T: DeserializeOwned>(
        &self,
        what: &'static str,
        url: Url,
    ) -> Result<SenderPage<T>, ReadError> {
        let body = self.send(&Call::get(url)).await;
        let body = body.map_err(|source| ReadError::Request { what, source })?;
        SenderPage::parse(&body).map_err(|source| ReadError::Answer { what, source })
    }

    /// All pages of a list that is short by its nature.
    pub(crate) async fn all<T: DeserializeOwned>(
        &self,
        what: &'static str,
        url_of: impl Fn(&Self, &[(&str, String)]) -> Url,
    ) -> Result<Vec<T>, ReadError> {
        let (mut all, mut iterator) = (Vec::new(), None);
        for _ in 0..PAGES_MAX {
            let url = url_of(self, &query(iterator.as_deref()));
            let page = self.page(what, url).await?;
            if page.unreadable > 0 {
                return Err(ReadError::Answer { what, source: SenderAnswerError });
            }
            all.extend(page.items);
            iterator = page.next;
            if iterator.is_none() {
                return Ok(all);
            }
        }
        Err(ReadError::TooMany { what, pages_max: PAGES_MAX })
    }

    /// The address of the list of event types, which belongs to no application.
    pub(crate) fn event_types_url(&self, query: &[(&str, String)]) -> Url {
        self.requester.url("/api/v1/event-type", None, query)
    }
}

impl fmt::Debug for SenderSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SenderSession").field("app_id", &self.app_id).finish_non_exhaustive()
    }
}

/// A key by which the sender knows the attempts of one call.
pub(crate) fn idempotency_key() -> String {
    format!("deskbell-{:032x}", rand::random::<u128>())
}
