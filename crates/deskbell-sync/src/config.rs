//! `type = "database"`: a mirror, mapped tables and statements.

mod column_values;
mod expressions;
mod line;
mod statement;
mod table;
mod takes_type;

use std::path::Path;
use std::time::Duration as StdDuration;

use deskbell_config::{DatabaseUrl, Duration};
use serde::{Deserialize, Serialize};

pub use column_values::{ColumnValue, ColumnValues, LookupConfig};
pub use expressions::{Expressions, Named};
pub use line::Line;
pub use statement::{Stale, StatementConfig};
pub use table::{OnRowDelete, TableConfig};

use crate::entity;

/// A mirror of Clerk's entities in a database, and what else is kept there.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
pub struct DatabaseConfig {
    /// The database that holds the mirror.
    pub url: DatabaseUrl,
    /// Whether Clerk's entities are mirrored into tables of ours. Default: `true`; otherwise only
    /// the mapped tables and the statements are kept.
    #[serde(default = "yes")]
    pub mirror: bool,
    /// The schema of the mirror's tables, made where it is not there; on SQLite, with `_`, the prefix
    /// of their names. Lower-case letters, digits and `_`. Default: `clerk`.
    #[serde(default = "default_schema")]
    pub schema: String,
    /// The entities to mirror. Default: all but `session`, `email` and `sms`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entities: Option<Vec<String>>,
    /// Columns to leave out beside every `private_metadata`, as `entity.column`. What a column is
    /// filled from is left out of `raw` too, and where it is a list, of the list's own table; what the
    /// mirror has of it is emptied. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclude_columns: Vec<String>,
    /// The `private_metadata` columns to mirror, as `entity.private_metadata`. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub include_columns: Vec<String>,
    /// Whether an event only says what to fetch: the newest state is read from Clerk's Backend API, with
    /// the `secret_key` of each source. Default: `false`.
    #[serde(default)]
    pub refetch: bool,
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
    /// It stays, and its column `deleted_at` says when the entity, or what it ended with, was
    /// deleted.
    Mark,
}

impl DatabaseConfig {
    /// The defaults, with the mirror in this database.
    #[must_use]
    pub fn at(url: DatabaseUrl) -> Self {
        Self {
            url,
            mirror: true,
            schema: default_schema(),
            entities: None,
            exclude_columns: Vec::new(),
            include_columns: Vec::new(),
            refetch: false,
            auto_migrate: true,
            on_delete: OnDelete::Delete,
            conflict_patience: default_patience(),
            tables: Vec::new(),
            statements: Vec::new(),
        }
    }

    /// The names of the entities that are mirrored.
    #[must_use]
    pub fn mirrored(&self) -> Vec<String> {
        let by_default = || entity::ALL.iter().filter(|entity| entity.by_default);
        let default = || by_default().map(|entity| entity.name.to_owned()).collect();
        if self.mirror { self.entities.clone().unwrap_or_else(default) } else { Vec::new() }
    }
}

impl Default for DatabaseConfig {
    /// The mirror in `sqlite://clerk.db`.
    fn default() -> Self {
        Self::at(DatabaseUrl::sqlite(Path::new("clerk.db")))
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
