//! `[store]`: where events are written down.

use std::path::Path;

use deskbell_store::{Place, PostgresOptions};
use serde::{Deserialize, Serialize};

use super::error::{Fault, Step};
use super::{Config, DatabaseUrl};

/// The event log.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct StoreConfig {
    /// The database of the log. Default: `sqlite://deskbell.db`.
    pub url: DatabaseUrl,
    /// Connections to a PostgreSQL database that one process holds at most. Default: 10.
    pub connections_max: u32,
}

impl StoreConfig {
    /// Where the store is, and how it is opened.
    #[must_use]
    pub fn place(&self) -> Place {
        match &self.url {
            DatabaseUrl::Sqlite(url) => Place::Sqlite(url.path().to_owned()),
            DatabaseUrl::Postgres(_) => Place::Postgres(PostgresOptions {
                connections_max: self.connections_max,
                ..PostgresOptions::new(&self.url.with_password())
            }),
        }
    }
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self { url: DatabaseUrl::sqlite(Path::new("deskbell.db")), connections_max: 10 }
    }
}

pub(super) fn check(config: &Config) -> Result<(), Fault> {
    if config.store.connections_max < PostgresOptions::CONNECTIONS_MIN {
        let least = PostgresOptions::CONNECTIONS_MIN;
        let place = vec![Step::Key("store"), Step::Key("connections_max")];
        return Err(Fault::at(place, format!("the event log needs {least} connections")));
    }
    Ok(())
}
