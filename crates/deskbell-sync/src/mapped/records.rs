//! `_versions`: reading and writing what is known of the entities of a mapped table.

use clerk_webhooks::UnixMillis;

use super::record::Record;
use crate::entity::Kind;
use crate::schema::{Dialect, TOMBSTONES, VERSION_COLUMNS, VERSIONS};
use crate::session::{Cell, DatabaseError, Param, Session, Sql};
use crate::sql::Bulk;
use crate::value::Value;
use crate::version::{Rank, Version};

/// The columns of `_versions` behind `mapping`, in the order in which they are read and written.
const COLUMNS: [(&str, Kind); 20] = [
    ("id", Kind::Id),
    (VERSION_COLUMNS[0], Kind::Integer),
    (VERSION_COLUMNS[1], Kind::Integer),
    (VERSION_COLUMNS[2], Kind::Integer),
    (VERSION_COLUMNS[3], Kind::Id),
    ("created_at_ms", Kind::Integer),
    ("parent_1", Kind::Id),
    ("parent_2", Kind::Id),
    ("key", Kind::Id),
    ("columns", Kind::Text),
    ("ended_at_ms", Kind::Integer),
    ("ended_by", Kind::Id),
    ("shown", Kind::Id),
    ("flagged", Kind::Boolean),
    ("parked_since", Kind::Time),
    ("given_up", Kind::Boolean),
    ("source", Kind::Id),
    ("event_type", Kind::Id),
    ("retry", Kind::Boolean),
    ("mapping_rev", Kind::Integer),
];

/// The statements about the rows of one mapping.
#[derive(Debug)]
pub(super) struct RecordStatements {
    mapping: String,
    by_id: Sql,
    by_key: Sql,
    /// By the first and the second parent.
    by_parent: [Sql; 2],
    parked: Sql,
    write: Bulk,
    tombstones: Sql,
}

impl RecordStatements {
    pub(super) fn new(dialect: Dialect, schema: &str, mapping: &str) -> Self {
        let table = dialect.table(schema, VERSIONS);
        let columns: Vec<_> = COLUMNS.iter().map(|(name, _)| *name).collect();
        let listed = columns.join(", ");
        // Parameter 1 is the list.
        let select = |condition: &str| -> Sql {
            format!("SELECT {listed} FROM {table} WHERE mapping = $2 AND {condition}").into()
        };
        let by = |column: &str| select(&dialect.is_listed(column));
        let parked = format!(
            "SELECT {listed} FROM {table}
             WHERE mapping = $1 AND parked_since IS NOT NULL AND (retry OR NOT given_up)"
        );
        let tombstones = format!(
            "SELECT id, occurred_at, message_id FROM {} WHERE entity = $2 AND {}",
            dialect.table(schema, TOMBSTONES),
            dialect.is_listed("id"),
        );
        Self {
            mapping: mapping.to_owned(),
            by_id: by("id"),
            by_key: select(&format!(
                "({} OR {})",
                dialect.is_listed("key"),
                dialect.is_listed("shown")
            )),
            by_parent: [by("parent_1"), by("parent_2")],
            parked: parked.into(),
            write: write(dialect, &table, &columns),
            tombstones: tombstones.into(),
        }
    }

    pub(super) async fn by_id(
        &self,
        session: &mut dyn Session,
        ids: &[&str],
    ) -> Result<Vec<Record>, DatabaseError> {
        self.fetch(session, &self.by_id, ids).await
    }

    /// Every entity that maps to one of these keys, or is shown there.
    pub(super) async fn by_key(
        &self,
        session: &mut dyn Session,
        keys: &[&str],
    ) -> Result<Vec<Record>, DatabaseError> {
        self.fetch(session, &self.by_key, keys).await
    }

    pub(super) async fn by_parent(
        &self,
        session: &mut dyn Session,
        parent: usize,
        ids: &[&str],
    ) -> Result<Vec<Record>, DatabaseError> {
        match self.by_parent.get(parent) {
            Some(sql) => self.fetch(session, sql, ids).await,
            None => Ok(Vec::new()),
        }
    }

    /// What the database has refused until now.
    pub(super) async fn parked(
        &self,
        session: &mut dyn Session,
    ) -> Result<Vec<Record>, DatabaseError> {
        let rows = session.fetch(&self.parked, &[Param::Text(&self.mapping)], &kinds()).await?;
        Ok(rows.into_iter().map(record).collect())
    }

    /// The tombstones of these entities of one kind: id, when, by which message.
    pub(super) async fn tombstones(
        &self,
        session: &mut dyn Session,
        entity: &str,
        ids: &[&str],
    ) -> Result<Vec<(String, i64, String)>, DatabaseError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let parameters = [Param::Texts(ids), Param::Text(entity)];
        let kinds = [Kind::Id, Kind::Time, Kind::Id];
        let rows = session.fetch(&self.tombstones, &parameters, &kinds).await?;
        let stones = rows.into_iter().map(|row| {
            let mut row = row.into_iter();
            let mut next = || row.next().unwrap_or(Value::Null);
            let id = text(next());
            let at = time(&next()).map_or(i64::MIN, UnixMillis::as_millis);
            (id, at, text(next()))
        });
        Ok(stones.collect())
    }

    pub(super) async fn write<'a>(
        &self,
        session: &mut dyn Session,
        records: impl Iterator<Item = &'a Record>,
    ) -> Result<(), DatabaseError> {
        let rows: Vec<_> = records.map(|record| cells(&self.mapping, record)).collect();
        session.bulk(&self.write, &rows).await.map(drop)
    }

    async fn fetch(
        &self,
        session: &mut dyn Session,
        sql: &Sql,
        list: &[&str],
    ) -> Result<Vec<Record>, DatabaseError> {
        if list.is_empty() {
            return Ok(Vec::new());
        }
        let parameters = [Param::Texts(list), Param::Text(&self.mapping)];
        let rows = session.fetch(sql, &parameters, &kinds()).await?;
        Ok(rows.into_iter().map(record).collect())
    }
}

fn write(dialect: Dialect, table: &str, columns: &[&str]) -> Bulk {
    let kinds = [Kind::Id].into_iter().chain(kinds()).collect();
    let listed = columns.join(", ");
    let set: Vec<_> = columns[1..].iter().map(|name| format!("{name} = excluded.{name}")).collect();
    Bulk::new(dialect, kinds, |given| {
        format!(
            "INSERT INTO {table} (mapping, {listed}) SELECT given.* FROM {given} WHERE true
             ON CONFLICT (mapping, id) DO UPDATE SET {}",
            set.join(", ")
        )
    })
}

fn kinds() -> Vec<Kind> {
    COLUMNS.iter().map(|(_, kind)| *kind).collect()
}

fn cells<'a>(mapping: &'a str, record: &'a Record) -> Vec<Cell<'a>> {
    let optional = |text: &'a Option<String>| text.as_deref().map_or(Cell::Null, Cell::Text);
    let version = record.version.as_ref();
    let integer = |value: Option<i64>| value.map_or(Cell::Null, Cell::Integer);
    vec![
        Cell::Text(mapping),
        Cell::Text(&record.id),
        integer(version.map(|version| version.updated_at_ms)),
        integer(version.map(|version| version.occurred_at_ms)),
        Cell::Integer(version.map_or(Rank::default(), |version| version.rank).stored()),
        version.map_or(Cell::Null, |version| Cell::Text(&version.message_id)),
        Cell::Integer(record.created_at_ms),
        optional(&record.parents[0]),
        optional(&record.parents[1]),
        optional(&record.key),
        Cell::Text(&record.values),
        integer(record.end.as_ref().map(|(at, _)| *at)),
        record.end.as_ref().map_or(Cell::Null, |(_, by)| Cell::Text(by)),
        optional(&record.shown),
        Cell::Boolean(record.flagged),
        record.parked_since.map_or(Cell::Null, Cell::Time),
        Cell::Boolean(record.given_up),
        Cell::Text(&record.source),
        Cell::Text(&record.event_type),
        Cell::Boolean(false),
        Cell::Integer(record.revision),
    ]
}

fn record(row: Vec<Value>) -> Record {
    let mut row = row.into_iter();
    let mut next = || row.next().unwrap_or(Value::Null);
    let id = text(next());
    let version = (integer(&next()), integer(&next()), integer(&next()), next());
    let version = match version {
        (Some(updated_at_ms), Some(occurred_at_ms), rank, Value::Text(message_id)) => {
            let rank = rank.map_or(Rank::default(), Rank::from_stored);
            Some(Version { updated_at_ms, occurred_at_ms, rank, message_id })
        }
        _ => None,
    };
    let created_at_ms = integer(&next()).unwrap_or(i64::MIN);
    let parents = [optional(next()), optional(next())];
    let (key, values) = (optional(next()), text(next()));
    let end = integer(&next()).zip(optional(next()));
    let shown = optional(next());
    let flagged = boolean(&next());
    let parked_since = time(&next());
    let given_up = boolean(&next());
    let (source, event_type) = (text(next()), text(next()));
    // Asked for again: as if it had been refused just now.
    let retry = boolean(&next());
    let revision = integer(&next()).unwrap_or(0);
    Record {
        id,
        version,
        created_at_ms,
        parents,
        key,
        values,
        end,
        shown,
        flagged,
        parked_since,
        given_up: given_up && !retry,
        source,
        event_type,
        revision,
    }
}

fn integer(value: &Value) -> Option<i64> {
    if let Value::Integer(integer) = value { Some(*integer) } else { None }
}

fn optional(value: Value) -> Option<String> {
    if let Value::Text(text) = value { Some(text) } else { None }
}

fn text(value: Value) -> String {
    optional(value).unwrap_or_default()
}

fn boolean(value: &Value) -> bool {
    matches!(value, Value::Boolean(true))
}

fn time(value: &Value) -> Option<UnixMillis> {
    if let Value::Time(time) = value { Some(*time) } else { None }
}
