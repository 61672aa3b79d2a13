//! The endpoints of the instance: where the sender sends its messages to.

use std::fmt;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::error::{EndpointError, ReadError};
use super::json::{body, parsed};
use super::session::{SenderSession, idempotency_key};
use super::time::unix_ms;
use crate::object_id::checked;
use crate::transport::Call;

/// Which events an endpoint gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventFilter {
    /// Every type, those included that the sender gets to know later.
    All,
    /// These types.
    Only(Vec<String>),
}

/// An endpoint as the sender has it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "Raw")]
#[non_exhaustive]
pub struct Endpoint {
    /// `ep_…`.
    pub id: String,
    /// The name that its maker gave it.
    pub uid: Option<String>,
    pub url: String,
    pub description: String,
    pub is_disabled: bool,
    pub events: EventFilter,
    /// In Unix milliseconds.
    pub created_at: i64,
}

/// An endpoint to create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEndpoint {
    pub uid: String,
    pub url: String,
    pub description: String,
    pub events: EventFilter,
}

/// What to change of an endpoint; what is `None` stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EndpointChange {
    pub uid: Option<String>,
    pub url: Option<String>,
    pub is_disabled: Option<bool>,
    pub events: Option<EventFilter>,
}

/// An endpoint's signing secret, `whsec_…`: redacted in `Debug`, wiped from memory on drop.
#[derive(Clone)]
pub struct EndpointSecret(Zeroizing<String>);

/// The list of types is `filterTypes` in the sender's API until 1.x, and `eventTypes` from 2.x on.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Raw {
    id: String,
    uid: Option<String>,
    url: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    disabled: bool,
    filter_types: Option<Vec<String>>,
    event_types: Option<Vec<String>>,
    #[serde(deserialize_with = "unix_ms")]
    created_at: i64,
}

/// What is sent: the list of types by both names, since the version of the server is not known.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Sent<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    uid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    disabled: Option<bool>,
    /// An inner `None` is `null`, which is all types.
    #[serde(skip_serializing_if = "Option::is_none")]
    filter_types: Option<Option<&'a [String]>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_types: Option<Option<&'a [String]>>,
}

#[derive(Deserialize)]
struct SecretAnswer {
    key: String,
}

#[derive(Deserialize)]
struct EventType {
    name: String,
}

impl SenderSession {
    /// All endpoints.
    ///
    /// # Errors
    /// A page could not be read.
    pub async fn endpoints(&self) -> Result<Vec<Endpoint>, ReadError> {
        self.all("endpoints", |session, query| session.app_url("/endpoint", query)).await
    }

    /// The endpoint of this id or uid, or `None` if there is none.
    ///
    /// # Errors
    /// It could not be read, or the text cannot be an id.
    pub async fn endpoint(&self, id: &str) -> Result<Option<Endpoint>, ReadError> {
        self.find("endpoint", self.app_url(&format!("/endpoint/{}", checked(id)?), &[])).await
    }

    /// Creates an endpoint.
    ///
    /// # Errors
    /// The sender refuses it: 409 if there is one of the same uid, 422 if it does not know one of the event types.
    pub async fn create_endpoint(&self, new: &NewEndpoint) -> Result<Endpoint, EndpointError> {
        let NewEndpoint { uid, url, description, events } = new;
        let types = Some(events.types());
        let sent = Sent {
            uid: Some(uid),
            url: Some(url),
            description: Some(description),
            disabled: None,
            filter_types: types,
            event_types: types,
        };
        let call = Call::post(self.app_url("/endpoint", &[]), Some(body(&sent)));
        self.save("create", &call.once(idempotency_key())).await
    }

    /// Changes the endpoint of this id.
    ///
    /// # Errors
    /// The sender refuses it: 404 if there is none, 422 if it does not know one of the event types.
    pub async fn change_endpoint(
        &self,
        id: &str,
        change: &EndpointChange,
    ) -> Result<Endpoint, EndpointError> {
        let types = change.events.as_ref().map(EventFilter::types);
        let sent = Sent {
            uid: change.uid.as_deref(),
            url: change.url.as_deref(),
            description: None,
            disabled: change.is_disabled,
            filter_types: types,
            event_types: types,
        };
        let url = self.app_url(&format!("/endpoint/{}", checked(id)?), &[]);
        self.save("change", &Call::patch(url, body(&sent))).await
    }

    /// The secret that the sender signs with for this endpoint.
    ///
    /// # Errors
    /// It could not be read, or there is no such endpoint.
    pub async fn endpoint_secret(&self, id: &str) -> Result<Option<EndpointSecret>, ReadError> {
        let path = format!("/endpoint/{}/secret", checked(id)?);
        let answer: Option<SecretAnswer> =
            self.find("signing secret", self.app_url(&path, &[])).await?;
        Ok(answer.map(|answer| EndpointSecret(Zeroizing::new(answer.key))))
    }

    /// The event types that the sender knows. An endpoint can have no other, unless the list is empty.
    ///
    /// # Errors
    /// A page could not be read.
    pub async fn event_types(&self) -> Result<Vec<String>, ReadError> {
        let types: Vec<EventType> = self.all("event types", Self::event_types_url).await?;
        Ok(types.into_iter().map(|one| one.name).collect())
    }

    async fn save(&self, what: &'static str, call: &Call) -> Result<Endpoint, EndpointError> {
        let answer = self.send(call).await;
        let answer = answer.map_err(|source| EndpointError::Request { what, source })?;
        parsed(&answer).map_err(|source| EndpointError::Answer { what, source })
    }
}

impl EndpointSecret {
    /// The text, `whsec_…`.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for EndpointSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(crate::secret_key::REDACTED)
    }
}

impl EventFilter {
    fn types(&self) -> Option<&[String]> {
        match self {
            Self::All => None,
            Self::Only(types) => Some(types),
        }
    }
}

impl From<Raw> for Endpoint {
    fn from(raw: Raw) -> Self {
        let types = raw.event_types.or(raw.filter_types).filter(|types| !types.is_empty());
        Self {
            id: raw.id,
            uid: raw.uid.filter(|uid| !uid.is_empty()),
            url: raw.url,
            description: raw.description,
            is_disabled: raw.disabled,
            events: types.map_or(EventFilter::All, EventFilter::Only),
            created_at: raw.created_at,
        }
    }
}
