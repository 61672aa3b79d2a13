//! A request with its attempts, within the share of the rate limit.

use std::time::Duration;

use rand::Rng;
use tokio::time::sleep;
use url::Url;

use crate::error::RequestError;
use crate::object_id;
use crate::options::{ClientError, ClientOptions};
use crate::peer::Peer;
use crate::rate_share::RateShare;
use crate::transport::{Answer, Call, Transport};

/// The longest wait that the server may ask for with a 429; a longer one is an error.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(60);
/// How often one request may be answered with 429, each time after waiting; once more is an error.
const RATE_LIMITED_MAX: u32 = 10;

/// Makes requests of one client.
pub(crate) struct Requester {
    transport: Transport,
    share: RateShare,
    options: ClientOptions,
}

impl Requester {
    pub(crate) fn new(
        peer: Peer,
        share: RateShare,
        options: ClientOptions,
    ) -> Result<Self, ClientError> {
        options.check()?;
        Ok(Self { transport: Transport::new(peer, &options)?, share, options })
    }

    pub(crate) fn base_url(&self) -> &Url {
        &self.options.base_url
    }

    pub(crate) fn options(&self) -> &ClientOptions {
        &self.options
    }

    /// An address of the API. The id takes the place of `{id}` in the path.
    pub(crate) fn url(&self, path: &str, id: Option<&str>, query: &[(&str, String)]) -> Url {
        debug_assert!(id.is_none_or(|id| object_id::checked(id).is_ok()), "checked by the caller");
        let path = path.replace("{id}", id.unwrap_or_default());
        let mut url = self.options.base_url.clone();
        url.set_path(&format!("{}{path}", self.options.base_url.path().trim_end_matches('/')));
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    /// Reads the address, with the attempts of [`send`](Self::send).
    pub(crate) async fn get(&self, url: &Url) -> Result<Answer, RequestError> {
        self.send(&Call::get(url.clone())).await
    }

    /// Makes the call: again after 429, when the server says so, and a few times after other failures that may pass.
    /// The call must be one that can be repeated.
    pub(crate) async fn send(&self, call: &Call) -> Result<Answer, RequestError> {
        let (mut failed, mut rate_limited) = (0, 0);
        loop {
            let permit = self.share.acquire().await;
            let result = self.transport.send(call).await;
            drop(permit);
            match result {
                Err(RequestError::RateLimited { retry_after }) => {
                    rate_limited += 1;
                    let wait = retry_after.unwrap_or(self.share.window());
                    self.share.pause(wait.min(RETRY_AFTER_MAX));
                    if wait > RETRY_AFTER_MAX || rate_limited > RATE_LIMITED_MAX {
                        return Err(RequestError::RateLimited { retry_after });
                    }
                }
                Err(error) if error.is_transient() => {
                    failed += 1;
                    if failed >= self.options.attempts_max {
                        return Err(error);
                    }
                    sleep(self.retry_delay(failed)).await;
                }
                result => return result,
            }
        }
    }

    fn retry_delay(&self, failed: u32) -> Duration {
        let factor = 1_u32.checked_shl(failed - 1).unwrap_or(u32::MAX);
        let delay = self.options.retry_delay_min.saturating_mul(factor);
        delay.min(self.options.retry_delay_max).mul_f64(rand::rng().random_range(0.5..=1.0))
    }
}
