//! Destinations of type `http`, as Svix's API has endpoints. Those of the config file are read-only.

use std::collections::BTreeMap;
use std::fmt;

use async_trait::async_trait;
use deskbell_config::{HttpUrl, REDACTED};
use deskbell_store::TokenRole;
use serde::{Deserialize, Serialize};

use crate::{AdminError, Caller, Timestamp};

/// An `http` destination that takes events of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// The destination's name.
    pub id: String,
    pub settings: EndpointSettings,
    /// Whether it is declared in the config file.
    pub read_only: bool,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl Endpoint {
    /// Without what this caller must not see: a URL may have a secret in it.
    #[must_use]
    pub fn for_caller(mut self, caller: &Caller) -> Self {
        if caller.role < TokenRole::Admin {
            let url = self.settings.url.parse::<HttpUrl>();
            self.settings.url = url.map_or_else(|_| REDACTED.to_owned(), |url| url.to_string());
        }
        self
    }
}

/// What of an endpoint can be set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointSettings {
    pub url: String,
    pub description: String,
    /// The types of event that it takes, or patterns; `None` for all but one-time codes.
    pub events: Option<Vec<String>>,
    /// A condition in CEL.
    pub when: Option<String>,
    pub disabled: bool,
    /// Attempts a second, at most.
    pub rate_limit: Option<u32>,
    /// An id of the caller's own, unique within the source.
    pub uid: Option<String>,
    /// The caller's own notes.
    pub metadata: BTreeMap<String, String>,
}

/// What an endpoint is made of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewEndpoint {
    pub settings: EndpointSettings,
    /// `None` for a random one.
    pub secret: Option<SealedSecret>,
    /// Headers that are sent with each request.
    pub headers: BTreeMap<String, SealedSecret>,
}

/// A secret or a header's value, on its way in or to where it was asked for by name.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct SealedSecret(pub String);

impl fmt::Debug for SealedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealedSecret(redacted)")
    }
}

/// What names of headers contain whose values are secret.
const SECRET_HEADERS: &[&str] =
    &["auth", "cookie", "credential", "key", "password", "secret", "session", "signature", "token"];

/// Whether this header's name says that its value is secret.
#[must_use]
pub fn is_secret_header(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRET_HEADERS.iter().any(|secret| name.contains(secret))
}

/// What the ids of endpoints begin with that were made through the API. No uid begins so.
pub const ENDPOINT_ID_PREFIX: &str = "ep_";

/// Reads and changes endpoints. `source` is the name of the source whose events they take; an id is
/// the endpoint's or, where no endpoint has it, an endpoint's `uid`.
#[async_trait]
pub trait Endpoints: Send + Sync {
    /// The names of the sources.
    fn sources(&self) -> Vec<String>;

    /// In the order of their names.
    async fn endpoints(&self, source: &str) -> Result<Vec<Endpoint>, AdminError>;

    async fn endpoint(&self, source: &str, id: &str) -> Result<Endpoint, AdminError>;

    /// Makes one. Its id is random, after [`ENDPOINT_ID_PREFIX`].
    async fn create_endpoint(
        &self,
        caller: &Caller,
        source: &str,
        new: NewEndpoint,
    ) -> Result<Endpoint, AdminError>;

    async fn update_endpoint(
        &self,
        caller: &Caller,
        source: &str,
        id: &str,
        settings: EndpointSettings,
    ) -> Result<Endpoint, AdminError>;

    async fn delete_endpoint(
        &self,
        caller: &Caller,
        source: &str,
        id: &str,
    ) -> Result<(), AdminError>;

    /// The headers that are sent with each request. The values of those that [`is_secret_header`] knows
    /// are redacted.
    async fn endpoint_headers(
        &self,
        source: &str,
        id: &str,
    ) -> Result<BTreeMap<String, SealedSecret>, AdminError>;

    async fn set_endpoint_headers(
        &self,
        caller: &Caller,
        source: &str,
        id: &str,
        headers: BTreeMap<String, SealedSecret>,
    ) -> Result<(), AdminError>;

    /// Sets the headers that have a value here, removes those that have none, and keeps all others.
    async fn change_endpoint_headers(
        &self,
        _caller: &Caller,
        _source: &str,
        _id: &str,
        _changes: BTreeMap<String, Option<SealedSecret>>,
    ) -> Result<(), AdminError> {
        let message = "headers cannot be changed one by one; set all of them";
        Err(AdminError::NotSupported(message.to_owned()))
    }

    /// The secret that requests are signed with. That it was asked for is written to the audit log.
    async fn endpoint_secret(
        &self,
        caller: &Caller,
        source: &str,
        id: &str,
    ) -> Result<SealedSecret, AdminError>;

    /// Signs with this secret, or a random one, from now on; and with the one before for 24 hours.
    async fn rotate_endpoint_secret(
        &self,
        caller: &Caller,
        source: &str,
        id: &str,
        secret: Option<SealedSecret>,
    ) -> Result<(), AdminError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_headers_name_says_whether_its_value_is_secret() {
        for name in ["Authorization", "X-API-Key", "Cookie", "x-auth-token", "X-Client-Secret"] {
            assert!(is_secret_header(name), "{name}");
        }
        for name in ["X-Tenant", "User-Agent", "Accept", "x-request-id"] {
            assert!(!is_secret_header(name), "{name}");
        }
    }
}
