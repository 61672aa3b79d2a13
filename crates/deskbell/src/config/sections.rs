//! The sections of the config.

use deskbell_server::{ServerConfig, SourceConfig};
use deskbell_store::StoreConfig;
use serde::Serialize;

use super::alerts::AlertsConfig;
use super::destination::DestinationConfig;
use super::endpoints::EndpointsConfig;
use super::mirror::MirrorConfig;

/// Everything that can be configured.
#[derive(Debug, Clone, Serialize)]
pub struct Config {
    /// Where we listen, and what a client may cost.
    pub server: ServerConfig,
    /// Where events are written down.
    pub store: StoreConfig,
    /// Who sends to us. Without any: one, named `clerk`.
    #[serde(rename = "source")]
    pub sources: Vec<SourceConfig>,
    /// Whether there is the default mirror.
    #[serde(skip_serializing_if = "MirrorConfig::is_unset")]
    pub mirror: MirrorConfig,
    /// Who hears of what goes wrong.
    pub alerts: AlertsConfig,
    /// What holds for destinations that are made through the admin API.
    #[serde(skip_serializing_if = "EndpointsConfig::is_unset")]
    pub endpoints: EndpointsConfig,
    /// Where events go; with the default mirror, if there is one.
    #[serde(rename = "destination")]
    pub destinations: Vec<DestinationConfig>,
}

impl Config {
    /// The names of the sources, in their order.
    pub(crate) fn source_names(&self) -> Vec<String> {
        self.sources.iter().map(|source| source.name.clone()).collect()
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            server: ServerConfig::default(),
            store: StoreConfig::default(),
            sources: vec![SourceConfig::default()],
            mirror: MirrorConfig::default(),
            alerts: AlertsConfig::default(),
            endpoints: EndpointsConfig::default(),
            destinations: vec![DestinationConfig::default()],
        }
    }
}
