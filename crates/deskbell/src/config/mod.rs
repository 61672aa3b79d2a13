//! The config: one TOML file, read whole and checked before anything else happens.
//!
//! This file is the index of its sections. Any value may be `"env:NAME"`. Unknown keys are errors.

mod destination;
mod environment;
mod error;
mod file;
pub(crate) mod nearest;
mod reader;
mod server;
mod source;
mod store;
mod text;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use destination::{DestinationConfig, DestinationType};
pub use environment::Environment;
pub use error::ConfigError;
pub use server::ServerConfig;
pub use source::SourceConfig;
pub use store::StoreConfig;
pub use text::{DatabaseUrl, Duration, SigningSecret, Token};

/// The file that is read where none is named and it is there.
pub const DEFAULT_FILE: &str = "deskbell.toml";

/// Everything that can be configured.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where we listen, and what a client may cost.
    pub server: ServerConfig,
    /// Where events are written down.
    pub store: StoreConfig,
    /// Who sends to us. Without any: one, named `clerk`.
    #[serde(rename = "source")]
    pub sources: Vec<SourceConfig>,
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
            destinations: vec![DestinationConfig::default()],
        }
    }
}

/// A config that passed every check, and where it came from.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The effective values.
    pub config: Config,
    /// The file that was read; `None` where the defaults hold.
    pub file: Option<PathBuf>,
    /// What deserves a word, but is no error.
    pub warnings: Vec<String>,
}

impl Config {
    /// Reads the named file, or `deskbell.toml` where it is there, or takes the defaults; then
    /// fills in secrets from the environment and checks that all of it fits together.
    ///
    /// # Errors
    /// [`ConfigError`]: what is wrong, where, and how to mend it.
    pub fn load(file: Option<&Path>, environment: &Environment) -> Result<Loaded, ConfigError> {
        let file = match file {
            Some(file) => Some(file.to_owned()),
            None => Some(PathBuf::from(DEFAULT_FILE)).filter(|file| file.exists()),
        };
        let (mut config, file_text) = match &file {
            Some(path) => file::read(path, environment)?,
            None => (Self::default(), file::FileText::none()),
        };
        let warnings = config.fill_in_secrets(environment)?;
        config.check().map_err(|fault| file_text.locate(fault))?;
        Ok(Loaded { config, file, warnings })
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

    fn check(&self) -> Result<(), error::Fault> {
        source::check(&self.sources)?;
        destination::check(&self.destinations, &self.store)
    }
}
