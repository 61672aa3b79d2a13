//! A source whose messages are fetched.

use std::fmt;
use std::sync::Arc;

use clerk_api::Client;

/// A source whose messages are fetched.
#[derive(Clone)]
pub struct PulledSource {
    pub name: Arc<str>,
    /// The instance that the config names.
    pub instance_id: Option<String>,
    /// Whether messages of this type are wanted.
    pub takes: Arc<dyn Fn(&str) -> bool + Send + Sync>,
    pub client: Client,
}

impl fmt::Debug for PulledSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PulledSource").field("name", &self.name).finish_non_exhaustive()
    }
}
