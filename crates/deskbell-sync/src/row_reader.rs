//! Reading one row of a mirror: whether an entity is there, is not there yet, or was deleted.

use serde_json::Map;

use crate::db::{Param, quoted};
use crate::entity::Entity;
use crate::mapping::Mapping;
use crate::mirror_target::{ConnectError, TargetError};
use crate::options::MirrorOptions;
use crate::read_only::ReadOnlyMirror;
use crate::schema::{RAW, TOMBSTONES, VERSION_COLUMNS};
use crate::value::{Kind, Value};

/// Reads rows of a mirror, one query at a time. It changes nothing.
#[derive(Debug)]
pub struct RowReader {
    mirror: ReadOnlyMirror,
}

/// What a mirror says of an entity.
#[derive(Debug, Clone, PartialEq)]
pub enum Known {
    /// Its columns: JSON columns as JSON, times as ISO-8601 text; without `raw` and bookkeeping.
    Row(Map<String, serde_json::Value>),
    /// It was deleted.
    Deleted,
}

/// A row as it is stored.
#[derive(Debug)]
pub(crate) struct StoredRow {
    /// The table's name in the database.
    pub(crate) table: String,
    /// In the order of the mapping's columns.
    pub(crate) columns: Vec<serde_json::Value>,
    /// The message that the row's version is of; empty for an object of the API.
    pub(crate) message_id: String,
    /// The entity's JSON.
    pub(crate) raw: Option<String>,
}

impl RowReader {
    /// The mirror of these options. Nothing is touched before a row is read.
    ///
    /// # Errors
    /// The options make no sense.
    pub fn new(options: &MirrorOptions) -> Result<Self, ConnectError> {
        Ok(Self { mirror: ReadOnlyMirror::new(options)? })
    }

    /// Whether the mirror has a table of this entity, with these columns.
    #[must_use]
    pub fn has(&self, entity: &Entity, columns: &[&str]) -> bool {
        let has = |mapping: &Mapping, name: &str| {
            mapping.columns.iter().any(|column| column.name == name)
        };
        let mapping = self.mirror.mapping(entity);
        mapping.is_some_and(|mapping| columns.iter().all(|name| has(mapping, name)))
    }

    /// What the mirror says of the entity with this id; `None` if it knows nothing of it.
    ///
    /// # Errors
    /// The database failed.
    pub async fn by_id(&self, entity: &Entity, id: &str) -> Result<Option<Known>, TargetError> {
        if let Some(row) = self.newest(entity, &[("id", id)]).await? {
            return Ok(Some(Known::Row(row)));
        }
        let sql = format!(
            "SELECT id FROM {} WHERE entity = $1 AND id = $2",
            self.mirror.table(TOMBSTONES)
        );
        let parameters = [Param::Text(entity.name), Param::Text(id)];
        let tombstones = self.mirror.fetch(sql.into(), &parameters, &[Kind::Id]).await?;
        Ok((!tombstones.is_empty()).then_some(Known::Deleted))
    }

    /// The row of the entity with this id, with where it came from.
    pub(crate) async fn stored(
        &self,
        entity: &Entity,
        id: &str,
    ) -> Result<Option<StoredRow>, TargetError> {
        let Some(mapping) = self.mirror.mapping(entity) else { return Ok(None) };
        let dialect = self.mirror.dialect();
        let [.., message_id] = VERSION_COLUMNS;
        let bookkeeping = [(message_id, Kind::Text), (RAW, Kind::Json)];
        let columns = mapping.columns.iter().map(|column| (column.name, column.kind));
        let columns: Vec<_> = columns.chain(bookkeeping).collect();
        let read = columns.iter().map(|(name, kind)| dialect.read(&quoted(name), *kind));
        let sql = format!(
            "SELECT {} FROM {} WHERE id = $1 AND {}",
            read.collect::<Vec<_>>().join(", "),
            self.mirror.table(entity.table),
            self.mirror.alive(),
        );
        let kinds: Vec<_> = columns.iter().map(|(_, kind)| *kind).collect();
        let rows = self.mirror.fetch(sql.into(), &[Param::Text(id)], &kinds).await?;
        Ok(rows.into_iter().next().map(|mut row| {
            let raw = row.pop().map(|raw| raw.into_json().to_string());
            let message_id = row.pop().and_then(Value::into_text).unwrap_or_default();
            let table = dialect.display_name(self.mirror.schema(), entity.table);
            let columns = row.into_iter().map(Value::into_json).collect();
            StoredRow { table, columns, message_id, raw }
        }))
    }

    /// The newest row with these values in columns that hold ids; `None` if there is none.
    ///
    /// # Errors
    /// The database failed, or does not have one of the columns.
    pub async fn newest(
        &self,
        entity: &Entity,
        with: &[(&'static str, &str)],
    ) -> Result<Option<Map<String, serde_json::Value>>, TargetError> {
        let Some(mapping) = self.mirror.mapping(entity) else { return Ok(None) };
        let dialect = self.mirror.dialect();
        let read = mapping.columns.iter();
        let read = read.map(|column| dialect.read(&quoted(column.name), column.kind));
        let is_given =
            with.iter().zip(1..).map(|((name, _), n)| format!("{} = ${n}", quoted(name)));
        let newest_first = VERSION_COLUMNS.map(|column| format!("{column} DESC"));
        let sql = format!(
            "SELECT {} FROM {} WHERE {} AND {} ORDER BY {} LIMIT 1",
            read.collect::<Vec<_>>().join(", "),
            self.mirror.table(entity.table),
            is_given.collect::<Vec<_>>().join(" AND "),
            self.mirror.alive(),
            newest_first.join(", "),
        );
        let parameters: Vec<_> = with.iter().map(|(_, value)| Param::Text(value)).collect();
        let kinds: Vec<_> = mapping.columns.iter().map(|column| column.kind).collect();
        let rows = self.mirror.fetch(sql.into(), &parameters, &kinds).await?;
        let names = || mapping.columns.iter().map(|column| column.name.to_owned());
        Ok(rows
            .into_iter()
            .next()
            .map(|row| names().zip(row.into_iter().map(Value::into_json)).collect()))
    }
}
