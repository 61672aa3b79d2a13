//! An endpoint as it is stored: settings as JSON; its secrets, and its URL, which may have one, are
//! encrypted.

use std::collections::BTreeMap;
use std::fmt;

use deskbell_admin::{Endpoint, EndpointSettings, Timestamp};
use deskbell_config::{HttpUrl, REDACTED};
use deskbell_store::StoredEndpoint;
use serde::{Deserialize, Serialize};

use super::sealing::{CannotOpen, CannotSeal, SealingKey};

/// An endpoint with its secrets.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct EndpointRecord {
    /// Its name as a destination.
    pub(crate) id: String,
    /// The source whose events it takes.
    pub(crate) source: String,
    pub(crate) settings: EndpointSettings,
    pub(crate) secrets: Vec<RecordSecret>,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) created_at_ms: i64,
    pub(crate) updated_at_ms: i64,
    /// The version that it was read as.
    pub(crate) version: i64,
}

/// A secret that requests are signed with.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RecordSecret {
    pub(crate) secret: String,
    /// When it is last used, in milliseconds since the Unix epoch; `None` for always.
    pub(crate) until_ms: Option<i64>,
}

impl fmt::Debug for EndpointRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EndpointRecord")
            .field("id", &self.id)
            .field("source", &self.source)
            .field("url", &self.shown_url())
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for RecordSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordSecret").field("until_ms", &self.until_ms).finish_non_exhaustive()
    }
}

/// What everybody who has the store can read.
#[derive(Serialize, Deserialize)]
struct Open {
    source: String,
    /// Without the URL.
    #[serde(flatten)]
    settings: EndpointSettings,
}

#[derive(Serialize, Deserialize)]
struct Sealed {
    secrets: Vec<RecordSecret>,
    headers: BTreeMap<String, String>,
    /// Older records have it among the settings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    url: Option<String>,
}

/// An endpoint that cannot be read from the store, or written to it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RecordError {
    #[error("it was stored by another version")]
    Json(#[from] serde_json::Error),
    #[error(transparent)]
    CannotOpen(#[from] CannotOpen),
    #[error(transparent)]
    CannotSeal(#[from] CannotSeal),
}

impl EndpointRecord {
    pub(crate) fn read(stored: &StoredEndpoint, key: &SealingKey) -> Result<Self, RecordError> {
        let Open { source, mut settings } = serde_json::from_str(&stored.settings)?;
        let Sealed { secrets, headers, url } =
            serde_json::from_slice(&key.open(&stored.id, &stored.sealed)?)?;
        settings.url = url.unwrap_or(settings.url);
        Ok(Self {
            id: stored.id.clone(),
            source,
            settings,
            secrets,
            headers,
            created_at_ms: stored.created_at_ms,
            updated_at_ms: stored.updated_at_ms,
            version: stored.version,
        })
    }

    pub(crate) fn to_stored(&self, key: &SealingKey) -> Result<StoredEndpoint, RecordError> {
        let (source, mut settings) = (self.source.clone(), self.settings.clone());
        let sealed = Sealed {
            secrets: self.secrets.clone(),
            headers: self.headers.clone(),
            url: Some(std::mem::take(&mut settings.url)),
        };
        Ok(StoredEndpoint {
            id: self.id.clone(),
            settings: serde_json::to_string(&Open { source, settings })?,
            sealed: key.seal(&self.id, &serde_json::to_vec(&sealed)?)?,
            created_at_ms: 0,
            updated_at_ms: 0,
            version: self.version,
        })
    }

    /// Whether this stored endpoint, of which only what is not encrypted is read, has this id or uid.
    pub(crate) fn is_named(stored: &StoredEndpoint, source: &str, id: &str) -> bool {
        serde_json::from_str::<Open>(&stored.settings).is_ok_and(|open| {
            open.source == source && (stored.id == id || open.settings.uid.as_deref() == Some(id))
        })
    }

    /// Its URL without what is secret in it.
    pub(crate) fn shown_url(&self) -> String {
        self.settings
            .url
            .parse()
            .map_or_else(|_| REDACTED.to_owned(), |url: HttpUrl| url.to_string())
    }

    /// Without its secrets.
    pub(crate) fn view(&self) -> Endpoint {
        Endpoint {
            id: self.id.clone(),
            settings: self.settings.clone(),
            read_only: false,
            created_at: Timestamp(self.created_at_ms),
            updated_at: Timestamp(self.updated_at_ms),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_comes_back_and_its_secrets_do_not_show() {
        let key = SealingKey::of_text("0123456789abcdef0123456789abcdef");
        let record = EndpointRecord {
            id: "ep_1".to_owned(),
            source: "clerk".to_owned(),
            settings: EndpointSettings {
                url: "https://example.com/hooks?key=in-the-url".to_owned(),
                events: Some(vec!["user.*".to_owned()]),
                ..EndpointSettings::default()
            },
            secrets: vec![RecordSecret { secret: "whsec_abc".to_owned(), until_ms: None }],
            headers: BTreeMap::from([("x-key".to_owned(), "hunter2".to_owned())]),
            created_at_ms: 0,
            updated_at_ms: 0,
            version: 0,
        };
        let stored = record.to_stored(&key).unwrap();
        for shown in [format!("{stored:?}{record:?}"), stored.settings.clone()] {
            assert!(!shown.contains("whsec_abc") && !shown.contains("in-the-url"), "{shown}");
        }
        assert_eq!(EndpointRecord::read(&stored, &key).unwrap(), record);
    }
}
