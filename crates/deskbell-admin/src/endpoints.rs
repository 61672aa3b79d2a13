//! Destinations of type `http`, as Svix's API has endpoints. Those of the config file are read-only.

use std::collections::BTreeMap;
use std::fmt;

use async_trait::async_trait;
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

/// A secret or a header's value on its way to where it was asked for by name.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedSecret(pub String);

impl fmt::Debug for SealedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealedSecret(redacted)")
    }
}

/// Reads and changes endpoints. `source` is the name of the source whose events they take; an id is
/// the endpoint's, or its `uid`.
#[async_trait]
pub trait Endpoints: Send + Sync {
    /// The names of the sources.
    fn sources(&self) -> Vec<String>;

    /// In the order of their names.
    async fn endpoints(&self, source: &str) -> Result<Vec<Endpoint>, AdminError>;

    async fn endpoint(&self, source: &str, id: &str) -> Result<Endpoint, AdminError>;

    /// Makes one with this secret, or a random one. Its id is random.
    async fn create_endpoint(
        &self,
        caller: &Caller,
        source: &str,
        settings: EndpointSettings,
        secret: Option<SealedSecret>,
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

    /// The headers that are sent with each request. Those whose names say that they are secret are
    /// redacted.
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
