//! `type = "database"`: a mirror, mapped tables and statements.

mod check;

use std::path::Path;
use std::time::Duration as StdDuration;

use serde::{Deserialize, Serialize};

pub(super) use self::check::check;
use crate::config::{DatabaseUrl, Duration, StatementConfig, TableConfig};

/// A mirror of Clerk's entities in a database, and what else is kept there.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
pub struct DatabaseConfig {
    /// The database that holds the mirror.
    pub url: DatabaseUrl,
    /// Whether Clerk's entities are mirrored into tables of ours. Default: `true`; otherwise only
    /// the mapped tables and the statements are kept.
    #[serde(default = "yes")]
    pub mirror: bool,
    /// The schema of the mirror's tables; on SQLite, with `_`, the prefix of their names. Default:
    /// `clerk`.
    #[serde(default = "default_schema")]
    pub schema: String,
    /// The entities to mirror. Default: all but `session`, `email` and `sms`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entities: Option<Vec<String>>,
    /// Columns to leave out beside every `private_metadata`, as `entity.column`. What the mirror has
    /// of one that is named here is emptied. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exclude_columns: Option<Vec<String>>,
    /// The `private_metadata` columns to mirror, as `entity.private_metadata`. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub include_columns: Option<Vec<String>>,
    /// Whether missing tables, columns and indexes are made at the start. Default: `true`;
    /// otherwise the mirror waits for them, and `deskbell schema apply` makes them.
    #[serde(default = "yes")]
    pub auto_migrate: bool,
    /// What becomes of a mirrored row whose entity was deleted. Default: `delete`.
    #[serde(default)]
    pub on_delete: OnDelete,
    /// How long a row of a mapped table that the database refuses for a conflict is tried again
    /// before it is set aside. Default: `1h`.
    #[serde(default = "default_patience")]
    pub conflict_patience: Duration,
    /// Your own tables that are kept from events.
    #[serde(default, rename = "table", skip_serializing_if = "Vec::is_empty")]
    pub tables: Vec<TableConfig>,
    /// Your own statements that events run.
    #[serde(default, rename = "statement", skip_serializing_if = "Vec::is_empty")]
    pub statements: Vec<StatementConfig>,
}

/// What becomes of a mirrored row whose entity was deleted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OnDelete {
    /// It goes.
    #[default]
    Delete,
    /// It stays, with the time in `deleted_at`.
    Mark,
}

impl Default for DatabaseConfig {
    fn default() -> Self {
        Self {
            url: DatabaseUrl::sqlite(Path::new("clerk.db")),
            mirror: true,
            schema: default_schema(),
            entities: None,
            exclude_columns: None,
            include_columns: None,
            auto_migrate: true,
            on_delete: OnDelete::Delete,
            conflict_patience: default_patience(),
            tables: Vec::new(),
            statements: Vec::new(),
        }
    }
}

fn yes() -> bool {
    true
}

fn default_schema() -> String {
    "clerk".to_owned()
}

fn default_patience() -> Duration {
    Duration::new(StdDuration::from_secs(3600))
}
