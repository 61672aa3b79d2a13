//! `[endpoints]`: destinations that are made through the admin API.

use std::path::PathBuf;

use deskbell_config::{ConfigError, Environment, Fault, SecretText, Step};
use deskbell_delivery::AllowedHost;
use serde::{Deserialize, Serialize};

/// Sets the key where the file does not.
const KEY_VARIABLE: &str = "DESKBELL_SECRET_KEY";
/// Characters of a key that nobody guesses.
const KEY_CHARS_MIN: usize = 32;

/// What holds for `http` destinations that are made through the admin API or on the pages.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct EndpointsConfig {
    /// What their secrets are encrypted with in the event log's database: at least 32 characters.
    /// Default: the variable `DESKBELL_SECRET_KEY`; else, where the log is a SQLite file, a random
    /// key in a file beside it. Processes that share a PostgreSQL database need the same key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_key: Option<SecretText>,
    /// Whether they may reach the addresses of private networks. Default: `false`.
    pub allow_private: bool,
    /// Host names, addresses and networks (CIDR) that they may reach all the same. Default: none.
    pub allow_hosts: Vec<AllowedHost>,
}

impl EndpointsConfig {
    /// Takes the key from the environment, where the file does not have it.
    ///
    /// # Errors
    /// The variable has no good key.
    pub(super) fn take_key(&mut self, environment: &Environment) -> Result<(), ConfigError> {
        if self.secret_key.is_some() {
            return Ok(());
        }
        let Some(text) = environment.get(KEY_VARIABLE) else { return Ok(()) };
        if text.chars().count() < KEY_CHARS_MIN {
            return Err(ConfigError::new(
                format!("{KEY_VARIABLE}: expected at least {KEY_CHARS_MIN} characters"),
                "make one: openssl rand -hex 32".to_owned(),
            ));
        }
        self.secret_key = Some(text.into());
        Ok(())
    }

    /// Whether its keys make sense. A fault's path begins at the section.
    pub(super) fn validate(&self) -> Result<(), Fault> {
        let is_short = |key: &SecretText| key.expose().chars().count() < KEY_CHARS_MIN;
        if self.secret_key.as_ref().is_some_and(is_short) {
            let message = format!("expected at least {KEY_CHARS_MIN} characters");
            return Err(Fault::at(vec![Step::Key("secret_key")], message)
                .with_help("make one: openssl rand -hex 32"));
        }
        Ok(())
    }

    /// Whether the section is as it is without one.
    pub(super) fn is_unset(&self) -> bool {
        *self == Self::default()
    }
}

/// Where a random key is kept, beside the file of the log.
pub(crate) fn key_file(store: &std::path::Path) -> PathBuf {
    let mut path = store.as_os_str().to_owned();
    path.push(".key");
    path.into()
}
