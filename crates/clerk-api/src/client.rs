//! The client: one for each secret key, cheap to clone.

use std::fmt;
use std::sync::Arc;

use serde::Deserialize;

use crate::error::{AnswerError, CountError, GetError, InstanceError, RequestError};
use crate::item::{Item, Listing, Many, Single};
use crate::list::{ManyPath, SinglePath};
use crate::object_id::checked;
use crate::options::{ClientError, ClientOptions};
use crate::pages::Pages;
use crate::peer::Peer;
use crate::rate_share::RateShare;
use crate::requester::Requester;
use crate::secret_key::SecretKey;
use crate::walk::Walk;

/// The most ids that Clerk takes in one request.
pub const IDS_MAX: usize = 100;

/// A client of the Backend API. Clones share connections and the rate limit.
#[derive(Clone)]
pub struct Client {
    pub(crate) requester: Arc<Requester>,
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

#[derive(Deserialize)]
struct Count {
    total_count: Option<u64>,
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
        Ok(Self { requester: Arc::new(Requester::new(Peer::Clerk(key), share, options)?) })
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

    /// The pages of a list.
    #[must_use]
    pub fn pages(&self, walk: Walk) -> Pages {
        Pages::new(Arc::clone(&self.requester), walk)
    }

    /// How many objects the whole list has now: one request, or one for each part of the list.
    ///
    /// # Errors
    /// A request failed, or the list does not say it.
    pub async fn count(&self, walk: &Walk) -> Result<u64, CountError> {
        let list = walk.list;
        if let Some(path) = list.count_path {
            let answer = self.requester.get(&self.requester.url(path, None, &[])).await?;
            let count: Count = serde_json::from_slice(&answer.body).map_err(AnswerError::Json)?;
            return count.total_count.ok_or(CountError::NoCount(list.name));
        }
        let mut count = 0;
        for part in list.parts {
            let mut query = owned(part);
            query.push(("limit", "1".to_owned()));
            let url = self.requester.url(list.path, walk.parent.as_deref(), &query);
            let answer = self.requester.get(&url).await?;
            let part = Listing::parse(&answer.body)?.total_count;
            count += part.ok_or(CountError::NoCount(list.name))?;
        }
        Ok(count)
    }

    /// One object, or `None` if Clerk does not have it (404).
    ///
    /// # Errors
    /// There is no such answer, or the text cannot be an id.
    pub async fn get(&self, path: &SinglePath, id: &str) -> Result<Option<Single>, GetError> {
        let url = self.requester.url(path.path, Some(checked(id)?), &owned(path.filters));
        match self.requester.get(&url).await {
            Ok(answer) => {
                let item = Item::parse(&answer.body)?;
                Ok(Some(Single { item, answered_at: answer.answered_at }))
            }
            Err(RequestError::Rejected(error)) if error.status == 404 => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The objects with these ids, at most [`IDS_MAX`], in one request. Those that Clerk does not have are left
    /// out.
    ///
    /// # Errors
    /// There is no such answer, or a text cannot be an id.
    pub async fn get_many(&self, path: &ManyPath, ids: &[&str]) -> Result<Many, GetError> {
        debug_assert!(ids.len() <= IDS_MAX, "more than Clerk takes");
        let mut query = owned(path.filters);
        for id in ids {
            query.push((path.ids, checked(id)?.to_owned()));
        }
        // Without it Clerk answers with ten.
        query.push(("limit", ids.len().max(1).to_string()));
        let answer = self.requester.get(&self.requester.url(path.path, None, &query)).await?;
        let mut items = Listing::parse(&answer.body)?.items;
        items.retain(|item| ids.contains(&item.id.as_str()));
        Ok(Many { items, answered_at: answer.answered_at })
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let base_url = self.requester.base_url().as_str();
        f.debug_struct("Client").field("base_url", &base_url).finish_non_exhaustive()
    }
}

fn owned(filters: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
    filters.iter().map(|&(name, value)| (name, value.to_owned())).collect()
}
