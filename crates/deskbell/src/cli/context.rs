//! What every command is given, and the config that it asks for.

use std::path::{Path, PathBuf};

use crate::config::{Config, ConfigError, Environment, Loaded};

/// What every command is given.
pub(super) struct Context {
    pub(super) config_file: Option<PathBuf>,
    pub(super) json: bool,
    pub(super) environment: Environment,
}

impl Context {
    /// The config for a command that receives nothing.
    pub(super) fn load_without_secrets(&self) -> Result<Config, ConfigError> {
        let file = self.config_file.as_deref();
        Ok(Config::load_without_secrets(file, &self.environment)?.config)
    }

    /// The config for a command that only reads; says what is left out for want of a secret.
    pub(super) fn load_to_read(&self) -> Result<Config, ConfigError> {
        let loaded = Config::load_to_read(self.config_file.as_deref(), &self.environment)?;
        for left_out in &loaded.left_out {
            errln!("warning: {left_out}");
        }
        Ok(loaded.config)
    }

    /// The config, of which everything is checked that can be checked here.
    pub(super) fn load_to_check(&self) -> Result<Loaded, ConfigError> {
        Config::load_to_check(self.config_file.as_deref(), &self.environment)
    }

    /// The same, with the files of variables as they are now.
    pub(super) fn read_again(&self) -> Self {
        let environment = environment();
        Self { config_file: self.config_file.clone(), json: self.json, environment }
    }

    pub(super) fn load_config(&self) -> Result<Loaded, ConfigError> {
        Config::load(self.config_file.as_deref(), &self.environment)
    }
}

/// The environment, and what it lacks from the files of variables in the working directory.
pub(super) fn environment() -> Environment {
    Environment::with_files_in(Path::new(""))
}
