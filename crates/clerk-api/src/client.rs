//! The client: one for each secret key, cheap to clone.

use std::fmt;
use std::sync::Arc;

use serde::Deserialize;

use crate::error::{AnswerError, InstanceError};
use crate::options::{ClientError, ClientOptions};
use crate::rate_share::RateShare;
use crate::requester::Requester;
use crate::secret_key::SecretKey;

/// A client of the Backend API. Clones share connections and the rate limit.
#[derive(Clone)]
pub struct Client {
    requester: Arc<Requester>,
}

/// The Clerk instance that a key is of.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Instance {
    /// `ins_…`, the `instance_id` of its events.
    pub id: String,
    /// `production` or `development`.
    pub environment_type: Option<String>,
}

impl Client {
    /// A client with this key, which keeps to this share of the instance's rate limit.
    ///
    /// # Errors
    /// The address is not one that a key may be sent to, or the system has no certificate authorities.
    pub fn new(
        key: SecretKey,
        share: RateShare,
        options: ClientOptions,
    ) -> Result<Self, ClientError> {
        Ok(Self { requester: Arc::new(Requester::new(key, share, options)?) })
    }

    /// Whose key it is.
    ///
    /// # Errors
    /// There is no such answer; 401 if the key is not valid.
    pub async fn instance(&self) -> Result<Instance, InstanceError> {
        let answer = self.requester.get(&self.requester.url("/instance", None, &[])).await?;
        let instance = serde_json::from_slice(&answer.body).map_err(AnswerError::Json)?;
        Ok(instance)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let base_url = self.requester.base_url().as_str();
        f.debug_struct("Client").field("base_url", &base_url).finish_non_exhaustive()
    }
}
