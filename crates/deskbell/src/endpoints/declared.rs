//! The effective config: that of the file, with what was declared through the admin API.

use deskbell_store::{Store, StoreError, StoredEndpoint};

use super::destination::destination;
use super::record::EndpointRecord;
use super::sealing::KeySource;
use crate::config::Config;

/// What the store has beside the config file.
#[derive(Debug, Clone, Default)]
pub(crate) struct Declared {
    /// The revision that it was read at.
    pub(crate) revision: i64,
    pub(crate) endpoints: Vec<EndpointRecord>,
    /// The names of mirrors that somebody paused.
    pub(crate) paused_mirrors: Vec<String>,
}

impl Declared {
    /// Reads it. An endpoint that cannot be used is left out, and logged.
    pub(crate) async fn read(store: &dyn Store, key: &KeySource) -> Result<Self, StoreError> {
        let (revision, stored) = store.stored_endpoints().await?;
        let paused_mirrors = store.paused_mirrors().await?;
        let endpoints = if stored.is_empty() { Vec::new() } else { records(stored, key) };
        Ok(Self { revision, endpoints, paused_mirrors })
    }

    /// The config with the endpoints added as destinations, and paused mirrors not started.
    pub(crate) fn applied_to(&self, config: &Config) -> Config {
        let mut config = config.clone();
        for mirror in &mut config.destinations {
            mirror.is_paused = mirror.enabled && self.paused_mirrors.contains(&mirror.name);
        }
        for record in &self.endpoints {
            if !config.sources.iter().any(|source| source.name == record.source) {
                let (endpoint, source) = (&record.id, &record.source);
                tracing::warn!(
                    endpoint,
                    source,
                    "an endpoint is left out: its source is not in the config"
                );
                continue;
            }
            match destination(record, &config.endpoints) {
                Ok(destination) => config.destinations.push(destination),
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::error!(endpoint = record.id, error, "an endpoint is left out");
                }
            }
        }
        config
    }
}

fn records(stored: Vec<StoredEndpoint>, key: &KeySource) -> Vec<EndpointRecord> {
    let existing = key.existing();
    let key = match existing {
        Ok(Some(key)) => key,
        Ok(None) => {
            let todo = key.how_to_restore();
            let endpoints = stored.len();
            tracing::error!(endpoints, "endpoints are left out: their key is missing; {todo}");
            return Vec::new();
        }
        Err(error) => {
            let error = &error as &dyn std::error::Error;
            tracing::error!(endpoints = stored.len(), error, "endpoints are left out");
            return Vec::new();
        }
    };
    let mut records = Vec::new();
    for endpoint in stored {
        match EndpointRecord::read(&endpoint, &key) {
            Ok(record) => records.push(record),
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::error!(endpoint = endpoint.id, error, "an endpoint is left out");
            }
        }
    }
    records
}
