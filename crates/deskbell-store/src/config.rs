//! `[store]`: where events are written down, and for how long.

use std::path::Path;
use std::time::Duration as StdDuration;

use deskbell_config::{DatabaseUrl, Duration, Fault, Step};
use serde::{Deserialize, Serialize};

use crate::{PostgresOptions, StoreLocation};

const DAY: StdDuration = StdDuration::from_secs(24 * 3_600);
/// Message ids are kept longer than Clerk's sender can replay, which is 90 days.
const EVENTS_MIN: StdDuration = DAY.saturating_mul(100);

/// The event log.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct StoreConfig {
    /// The database of the log. Default: `sqlite://deskbell.db`.
    pub url: DatabaseUrl,
    /// Connections to a PostgreSQL database that one process holds at most. Default: 10.
    pub connections_max: u32,
    /// Whether everything that is stored about a user is erased when Clerk says that the user is
    /// gone. Of events that were received before it was set, nothing is. Default: `false`.
    pub erase_on_delete: bool,
    /// How long what is in the log stays there.
    pub retention: RetentionConfig,
}

impl StoreConfig {
    /// Where the store is, and how it is opened.
    #[must_use]
    pub fn location(&self) -> StoreLocation {
        match &self.url {
            DatabaseUrl::Sqlite(url) => StoreLocation::Sqlite(url.path().to_owned()),
            DatabaseUrl::Postgres(_) => StoreLocation::Postgres(PostgresOptions {
                connections_max: self.connections_max,
                ..PostgresOptions::new(self.url.with_password())
            }),
        }
    }

    /// Whether its keys fit together. A fault's path begins at the section.
    ///
    /// # Errors
    /// The first fault.
    pub fn validate(&self) -> Result<(), Fault> {
        if self.connections_max < PostgresOptions::CONNECTIONS_MIN {
            let least = PostgresOptions::CONNECTIONS_MIN;
            let place = vec![Step::Key("connections_max")];
            return Err(Fault::at(place, format!("the event log needs {least} connections")));
        }
        let RetentionConfig { payloads, events, .. } = &self.retention;
        let at = |key| vec![Step::Key("retention"), Step::Key(key)];
        if events.0 < EVENTS_MIN {
            let message = "events are kept for 100 days at least";
            return Err(Fault::at(at("events"), message).with_help(
                "Clerk's sender can replay a message for 90 days, and the log must know it again \
                 by its id; `payloads` may be shorter",
            ));
        }
        if payloads.0 > events.0 {
            return Err(Fault::at(at("payloads"), "a payload cannot stay longer than its event")
                .with_help("raise `events` to as much, or lower `payloads`"));
        }
        Ok(())
    }
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self {
            url: DatabaseUrl::sqlite(Path::new("deskbell.db")),
            connections_max: 10,
            erase_on_delete: false,
            retention: RetentionConfig::default(),
        }
    }
}

/// The least time that events stay in the log. What is still pending stays longer.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct RetentionConfig {
    /// What events said, from when they were received; at most as long as `events`. Default:
    /// `100d`.
    pub payloads: Duration,
    /// That there were events, and what became of them; `100d` at least. Default: `100d`.
    pub events: Duration,
    /// Each attempt at a delivery, with its reply, from when it began. Default: `30d`.
    pub attempts: Duration,
}

impl Default for RetentionConfig {
    fn default() -> Self {
        Self {
            payloads: Duration::days(100),
            events: Duration::days(100),
            attempts: Duration::days(30),
        }
    }
}
