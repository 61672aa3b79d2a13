//! The config: one TOML file, read whole and checked before anything else happens.
//!
//! This file is the index of its sections. Any value may be `"env:NAME"` or
//! `"file:NAME"`. Unknown keys are errors.

mod alerts;
mod destination;
mod endpoint_url;
mod environment;
mod error;
pub(crate) mod event_types;
mod expression;
mod file;
mod keys;
mod lookup;
pub(crate) mod nearest;
mod rate_limit;
mod reader;
mod server;
mod source;
mod statement;
mod store;
mod table;
mod template;
mod text;
mod url;

use std::path::{Path, PathBuf};

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

pub use alerts::AlertsConfig;
pub use destination::{
    DatabaseConfig, DestinationConfig, DestinationKind, DestinationType, EmailConfig, EmailPreset,
    EmailProvider, EndpointSecret, HeaderFamily, Headers, HttpConfig, LoopsConfig, OnDelete,
    Ordering, RetryConfig, SignatureVersion, SlackConfig, SlackMessage, StartFrom,
};
pub use endpoint_url::{HttpUrl, SecretUrl, SmtpUrl};
pub use environment::Environment;
pub use error::ConfigError;
pub use rate_limit::{RateLimit, RateUnit};
pub use server::ServerConfig;
pub use source::SourceConfig;
pub use statement::{Stale, StatementConfig};
pub use store::{RetentionConfig, StoreConfig};
pub use table::{OnRowDelete, TableConfig};
pub use template::Template;
pub use text::{Duration, Expressions, SigningSecret, Token};
pub use url::{DatabaseUrl, PostgresUrl, SqliteUrl};

/// The file that is read where none is named and it is there.
pub const DEFAULT_FILE: &str = "deskbell.toml";

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
    /// Who hears of what goes wrong.
    pub alerts: AlertsConfig,
    /// Where events go. Without any: the mirror in `sqlite://clerk.db`.
    #[serde(rename = "destination")]
    pub destinations: Vec<DestinationConfig>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            server: ServerConfig::default(),
            store: StoreConfig::default(),
            sources: vec![SourceConfig::default()],
            alerts: AlertsConfig::default(),
            destinations: vec![DestinationConfig::default()],
        }
    }
}

/// The file's sections. Destinations are read apart: which keys one has depends on its type.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Sections {
    server: ServerConfig,
    store: StoreConfig,
    #[serde(rename = "source")]
    sources: Vec<SourceConfig>,
    alerts: AlertsConfig,
    #[serde(rename = "destination")]
    _destinations: IgnoredAny,
}

impl Default for Sections {
    fn default() -> Self {
        let Config { server, store, sources, alerts, destinations: _ } = Config::default();
        Self { server, store, sources, alerts, _destinations: IgnoredAny }
    }
}

/// A config that passed every check, and where it came from.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The effective values.
    pub config: Config,
    /// The file that was read; `None` where the defaults hold.
    pub file: Option<PathBuf>,
    /// What is probably a mistake, but no error.
    pub warnings: Vec<String>,
}

impl Config {
    /// Reads the named file, or `deskbell.toml` where it is there, or takes the defaults; checks
    /// that all of it fits together; then fills in secrets from the environment.
    ///
    /// # Errors
    /// [`ConfigError`]: what is wrong, where, and how to mend it.
    pub fn load(file: Option<&Path>, environment: &Environment) -> Result<Loaded, ConfigError> {
        let mut loaded = Self::load_without_secrets(file, environment)?;
        loaded.warnings.extend(loaded.config.fill_in_secrets(environment)?);
        Ok(loaded)
    }

    /// As [`load`](Self::load), for a command that receives nothing: a source may lack its signing
    /// secrets.
    ///
    /// # Errors
    /// As [`load`](Self::load), but for the secrets.
    pub fn load_without_secrets(
        file: Option<&Path>,
        environment: &Environment,
    ) -> Result<Loaded, ConfigError> {
        let file = match file {
            Some(file) => Some(file.to_owned()),
            None => Some(PathBuf::from(DEFAULT_FILE)).filter(|file| file.exists()),
        };
        let (config, file_text) = match &file {
            Some(path) => file::read(path, environment)?,
            None => (Self::default(), file::FileText::none()),
        };
        let warnings = config.check().map_err(|fault| file_text.locate(fault))?;
        let warnings = warnings.iter().map(|warning| file_text.describe(warning)).collect();
        Ok(Loaded { config, file, warnings })
    }

    fn read(root: reader::Node<'_>) -> Result<Self, reader::ReadError> {
        let Sections { server, store, sources, alerts, _destinations } =
            Sections::deserialize(root)?;
        let destinations = match root.get("destination") {
            Some(list) => list.elements()?.map(destination::read).collect::<Result<_, _>>()?,
            None => Self::default().destinations,
        };
        Ok(Self { server, store, sources, alerts, destinations })
    }

    fn fill_in_secrets(&mut self, environment: &Environment) -> Result<Vec<String>, ConfigError> {
        let mut warnings = Vec::new();
        for source in &mut self.sources {
            if source.signing_secrets.is_empty() {
                let (secrets, warning) = source::secrets_from(environment)?;
                source.signing_secrets = secrets;
                warnings.extend(warning);
            }
        }
        warnings.dedup();
        Ok(warnings)
    }

    /// Checks that all of it fits together; gives warnings.
    fn check(&self) -> Result<Vec<error::Fault>, error::Fault> {
        store::check(&self.store)?;
        source::check(&self.sources)?;
        alerts::check(self)?;
        destination::check(self)
    }
}
