//! A source whose endpoint is looked at.

use std::fmt;
use std::sync::Arc;

use clerk_webhooks::Secret;
use url::Url;

/// The event types that the config has a use for, of those that are known here and of these.
pub type UsedTypes = Arc<dyn Fn(&[String]) -> Vec<String> + Send + Sync>;

/// A source whose endpoint is looked at.
#[derive(Clone)]
pub struct WatchedSource {
    pub name: String,
    /// The paths that the endpoint's URL may have.
    pub paths: Vec<String>,
    /// The address of this server as Clerk reaches it, if the config says it.
    pub public_url: Option<Url>,
    pub used_types: UsedTypes,
    pub signing_secrets: Vec<Secret>,
    /// Whether an endpoint that was disabled is enabled again.
    pub re_enables: bool,
    pub client: clerk_api::Client,
}

impl fmt::Debug for WatchedSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WatchedSource").field("name", &self.name).finish_non_exhaustive()
    }
}
