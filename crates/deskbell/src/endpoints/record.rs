//! An endpoint as it is stored: settings as JSON, secrets encrypted.

use std::collections::BTreeMap;
use std::fmt;

use deskbell_admin::{Endpoint, EndpointSettings, Timestamp};
use deskbell_store::StoredEndpoint;
use serde::{Deserialize, Serialize};

use super::sealing::{CannotOpen, SealingKey};

/// An endpoint with its secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
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

impl fmt::Debug for RecordSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordSecret").field("until_ms", &self.until_ms).finish_non_exhaustive()
    }
}

#[derive(Serialize, Deserialize)]
struct Open {
    source: String,
    #[serde(flatten)]
    settings: EndpointSettings,
}

#[derive(Serialize, Deserialize)]
struct Sealed {
    secrets: Vec<RecordSecret>,
    headers: BTreeMap<String, String>,
}

/// A stored endpoint that cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RecordError {
    #[error("it was stored by another version")]
    Json(#[from] serde_json::Error),
    #[error(transparent)]
    CannotOpen(#[from] CannotOpen),
}

impl EndpointRecord {
    pub(crate) fn read(stored: &StoredEndpoint, key: &SealingKey) -> Result<Self, RecordError> {
        let Open { source, settings } = serde_json::from_str(&stored.settings)?;
        let Sealed { secrets, headers } =
            serde_json::from_slice(&key.open(&stored.id, &stored.sealed)?)?;
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

    pub(crate) fn to_stored(&self, key: &SealingKey) -> Result<StoredEndpoint, serde_json::Error> {
        let (source, settings) = (self.source.clone(), self.settings.clone());
        let sealed = Sealed { secrets: self.secrets.clone(), headers: self.headers.clone() };
        Ok(StoredEndpoint {
            id: self.id.clone(),
            settings: serde_json::to_string(&Open { source, settings })?,
            sealed: key.seal(&self.id, &serde_json::to_vec(&sealed)?),
            created_at_ms: 0,
            updated_at_ms: 0,
            version: self.version,
        })
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
                url: "https://example.com/hooks".to_owned(),
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
            assert!(!shown.contains("whsec_abc"), "{shown}");
        }
        assert_eq!(EndpointRecord::read(&stored, &key).unwrap(), record);
    }
}
