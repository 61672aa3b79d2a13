//! Reading a mirror back: what is in its tables, for people and for tests.

mod error;
mod rows_of;

pub use error::InspectError;
pub use rows_of::RowCounter;

use std::collections::BTreeSet;

use deskbell_config::DatabaseUrl;
use serde_json::{Map, Value};

use crate::checkpoint::Checkpoint;
use crate::config::DatabaseConfig;
use crate::db::{Dialect, Table};
use crate::mapping::Mappings;
use crate::mirror::TableReader;
use crate::mirror_target::{ConnectError, check_schema_name, database};
use crate::schema::{self, CHECKPOINTS, MAPPING_REV, RAW, VERSION_COLUMNS};

/// A mirror opened for reading. It changes nothing, and nobody waits for it.
#[derive(Debug)]
pub struct MirrorReader {
    reader: TableReader,
    dialect: Dialect,
    schema: String,
    tables: Vec<Table>,
}

/// A table of the mirror and how many rows it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableCount {
    /// Its name without schema or prefix, such as `users`.
    pub name: &'static str,
    /// Its name in the database, such as `clerk_users` or `clerk.users`.
    pub table: String,
    pub rows: u64,
}

impl MirrorReader {
    /// Opens the mirror at this URL, in the default schema.
    ///
    /// # Errors
    /// The URL makes no sense, there is no such database, or it is away.
    pub async fn open(url: &DatabaseUrl) -> Result<Self, InspectError> {
        Self::open_schema(url, &DatabaseConfig::default().schema).await
    }

    /// Opens the mirror at this URL, in this schema.
    ///
    /// # Errors
    /// As [`open`](Self::open), or the name of the schema makes no sense.
    pub async fn open_schema(url: &DatabaseUrl, schema: &str) -> Result<Self, InspectError> {
        check_schema_name(schema)?;
        let database = database(url)?;
        let mappings = Mappings::of_everything().map_err(ConnectError::from)?;
        Ok(Self {
            dialect: database.dialect(),
            reader: TableReader::open(database, schema).await.map_err(ConnectError::from)?,
            schema: schema.to_owned(),
            tables: schema::tables(&mappings),
        })
    }

    /// The mirrored tables that are there, each with its number of rows.
    ///
    /// # Errors
    /// The database failed.
    pub async fn tables(&self) -> Result<Vec<TableCount>, InspectError> {
        let mut counts = Vec::new();
        for table in self.tables.iter().filter(|table| !is_bookkeeping(table)) {
            if let Some(rows) = self.reader.count(table.name).await? {
                let in_database = self.dialect.display_name(&self.schema, table.name);
                counts.push(TableCount { name: table.name, table: in_database, rows });
            }
        }
        Ok(counts)
    }

    /// The rows of a table, in the order of its primary key: JSON columns as JSON, true and false
    /// as such, times as ISO-8601 text. Of a mirrored table without `raw` and the bookkeeping
    /// columns. The table may be named with or without its prefix.
    ///
    /// # Errors
    /// There is no such table, or the database failed.
    pub async fn rows(&self, table: &str) -> Result<Vec<Map<String, Value>>, InspectError> {
        let mut rows = self.whole_rows(table).await?;
        let hidden =
            |name: &str| name == RAW || name == MAPPING_REV || VERSION_COLUMNS.contains(&name);
        if !is_bookkeeping(self.find(table)?) {
            for row in &mut rows {
                row.retain(|name, _| !hidden(name));
            }
        }
        Ok(rows)
    }

    /// The rows of a table as [`rows`](Self::rows) has them, with every column.
    ///
    /// # Errors
    /// There is no such table, or the database failed.
    pub async fn whole_rows(&self, table: &str) -> Result<Vec<Map<String, Value>>, InspectError> {
        let declared = self.find(table)?;
        let rows = self.reader.rows(declared).await?;
        rows.ok_or_else(|| InspectError::NoSuchTable { table: table.to_owned() })
    }

    /// This destination's checkpoint; of several logs, in the one that it was last filled from.
    ///
    /// # Errors
    /// The database failed, or it is no mirror.
    pub async fn checkpoint(&self, destination: &str) -> Result<Option<Checkpoint>, InspectError> {
        Ok(self.reader.checkpoint(destination).await?)
    }

    /// The destinations that have a checkpoint here, in whichever log; none in a database without a
    /// mirror.
    ///
    /// # Errors
    /// The database failed.
    pub async fn destinations(&self) -> Result<BTreeSet<String>, InspectError> {
        let checkpoints = match self.whole_rows(CHECKPOINTS).await {
            Err(InspectError::NoSuchTable { .. }) => Vec::new(),
            other => other?,
        };
        let name = |row: &Map<String, Value>| Some(row.get("destination")?.as_str()?.to_owned());
        Ok(checkpoints.iter().filter_map(name).collect())
    }

    fn find(&self, table: &str) -> Result<&Table, InspectError> {
        let is_it = |declared: &&Table| {
            declared.name == table
                || self.dialect.display_name(&self.schema, declared.name) == table
        };
        let found = self.tables.iter().find(is_it);
        found.ok_or_else(|| InspectError::NoSuchTable { table: table.to_owned() })
    }
}

fn is_bookkeeping(table: &Table) -> bool {
    table.name.starts_with('_')
}
