//! `_versions`: reading and writing what is known of the entities of a mapped table.

use clerk_webhooks::UnixMillis;

use super::record::Record;
use crate::db::{Bulk, Cell, DatabaseError, DbSession, Dialect, Param, Sql, given, quoted};
use crate::schema::{CAUSED_BY, TOMBSTONES, VERSION_COLUMNS, VERSIONS, versions};
use crate::value::{Kind, Value};
use crate::version::{Rank, Version};

/// The destination of records, and its database.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RecordScope<'a> {
    pub(crate) dialect: Dialect,
    pub(crate) schema: &'a str,
    pub(crate) destination: &'a str,
}

/// The columns of `_versions` behind `destination` and `mapping`, in the order in which they are read and written.
const COLUMNS: [(&str, Kind); 26] = [
    ("id", Kind::Id),
    (VERSION_COLUMNS[0], Kind::Integer),
    (VERSION_COLUMNS[1], Kind::Integer),
    (VERSION_COLUMNS[2], Kind::Integer),
    (VERSION_COLUMNS[3], Kind::Id),
    ("created_at_ms", Kind::Integer),
    ("parent_1", Kind::Id),
    ("parent_2", Kind::Id),
    ("key", Kind::Id),
    ("given_key", Kind::Id),
    ("columns", Kind::Text),
    ("ended_at_ms", Kind::Integer),
    ("ended_by", Kind::Id),
    ("shown", Kind::Id),
    ("flagged", Kind::Boolean),
    ("parked_since", Kind::Time),
    ("given_up", Kind::Boolean),
    ("retry_at", Kind::Time),
    ("tries", Kind::Integer),
    ("reason", Kind::Text),
    ("constraint_name", Kind::Id),
    ("waits_for", Kind::Id),
    ("source", Kind::Id),
    ("event_type", Kind::Id),
    (CAUSED_BY, Kind::Id),
    ("mapping_rev", Kind::Integer),
];

/// The statements about the rows of one mapping.
#[derive(Debug)]
pub(super) struct RecordStatements {
    destination: String,
    mapping: String,
    pub(super) by_id: Sql,
    /// Every entity that maps to one of these keys, or is shown there; one that does both comes
    /// twice.
    pub(super) by_key: Sql,
    /// By the first and the second parent.
    by_parent: [Sql; 2],
    /// Parameter 3 is how many at most.
    due: Sql,
    /// Records that wait for one of these, [`DUE_MAX`] at most.
    pub(super) waiting_for: Sql,
    wake: Sql,
    postpone: Bulk,
    write: Bulk,
    tombstones: Sql,
}

impl RecordStatements {
    pub(super) fn new(scope: RecordScope<'_>, mapping: &str) -> Self {
        let RecordScope { dialect, schema, destination } = scope;
        let table = dialect.table(schema, VERSIONS);
        let columns: Vec<_> = COLUMNS.iter().map(|(name, _)| *name).collect();
        let listed = columns.join(", ");
        let ours = "destination = $2 AND mapping = $3";
        // Parameter 1 is the list.
        let select = |column: &'static str, condition: &str| -> Sql {
            let from = indexed(scope, column);
            format!("SELECT {listed} FROM {from} WHERE {ours} AND {condition}").into()
        };
        let by = |column: &'static str| select(column, &dialect.is_listed(column));
        let due = format!("retry_at <= (SELECT {}) ORDER BY retry_at LIMIT $1", dialect.now());
        let waiting_for = dialect.is_listed("waits_for");
        let wake = format!(
            "UPDATE {} SET retry_at = {} WHERE {ours} AND {waiting_for}",
            indexed(scope, "waits_for"),
            dialect.now()
        );
        let tombstones = format!(
            "SELECT id, occurred_at, message_id FROM {} WHERE entity = $2 AND {}",
            dialect.table(schema, TOMBSTONES),
            dialect.is_listed("id"),
        );
        // Not with OR: SQLite reads every row of the mapping then, where many wait.
        let by_key = format!("{} UNION ALL {}", by("key"), by("shown"));
        Self {
            destination: destination.to_owned(),
            mapping: mapping.to_owned(),
            by_id: by("id"),
            by_key: by_key.into(),
            by_parent: [by("parent_1"), by("parent_2")],
            due: select("retry_at", &due),
            // In no order: the index by time would be read from end to end.
            waiting_for: select("waits_for", &format!("{waiting_for} LIMIT {DUE_MAX}")),
            wake: wake.into(),
            postpone: postpone(dialect, &table),
            write: write(dialect, &table, &columns),
            tombstones: tombstones.into(),
        }
    }

    pub(super) async fn by_parent(
        &self,
        session: &mut dyn DbSession,
        parent: usize,
        ids: &[&str],
    ) -> Result<Vec<Record>, DatabaseError> {
        match self.by_parent.get(parent) {
            Some(sql) => self.fetch(session, sql, ids).await,
            None => Ok(Vec::new()),
        }
    }

    /// Records that are due to be retried, the longest due first.
    pub(super) async fn due(
        &self,
        session: &mut dyn DbSession,
        at_most: i64,
    ) -> Result<Vec<Record>, DatabaseError> {
        let ours = [Param::Text(&self.destination), Param::Text(&self.mapping)];
        let parameters = [&[Param::Integer(at_most)], &ours[..]].concat();
        let rows = session.fetch(&self.due, &parameters, &kinds()).await?;
        Ok(rows.into_iter().map(record).collect())
    }

    /// Makes records due that wait for one of these.
    pub(super) async fn wake(
        &self,
        session: &mut dyn DbSession,
        these: &[&str],
    ) -> Result<u64, DatabaseError> {
        if these.is_empty() {
            return Ok(0);
        }
        let ours = [Param::Text(&self.destination), Param::Text(&self.mapping)];
        let parameters = [&[Param::Texts(these)], &ours[..]].concat();
        session.execute(&self.wake, &parameters).await
    }

    /// Writes when these are tried again, and nothing else of them.
    pub(super) async fn postpone(
        &self,
        session: &mut dyn DbSession,
        records: &[&Record],
    ) -> Result<(), DatabaseError> {
        let rows: Vec<_> = records.iter().map(|record| self.postponed(record)).collect();
        session.bulk(&self.postpone, &rows).await.map(drop)
    }

    #[cfg(test)]
    pub(super) fn texts(&self) -> Vec<Sql> {
        let Self { by_id, by_key, by_parent: [one, other], due, waiting_for, wake, .. } = self;
        let queries = [by_id, by_key, one, other, due, waiting_for, wake, &self.tombstones];
        let bulks = self.postpone.texts().into_iter().chain(self.write.texts());
        queries.into_iter().cloned().chain(bulks).collect()
    }

    fn postponed<'a>(&'a self, record: &'a Record) -> Vec<Cell<'a>> {
        vec![
            Cell::Text(&self.destination),
            Cell::Text(&self.mapping),
            Cell::Text(&record.id),
            record.retry_at.map_or(Cell::Null, Cell::Time),
            Cell::Integer(record.tries),
        ]
    }

    /// The tombstones of these entities of one kind: id, when, by which message.
    pub(super) async fn tombstones(
        &self,
        session: &mut dyn DbSession,
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
            let id = next().into_text().unwrap_or_default();
            let at = next().time().map_or(i64::MIN, UnixMillis::as_millis);
            (id, at, next().into_text().unwrap_or_default())
        });
        Ok(stones.collect())
    }

    pub(super) async fn write<'a>(
        &self,
        session: &mut dyn DbSession,
        records: impl Iterator<Item = &'a Record>,
    ) -> Result<(), DatabaseError> {
        let rows: Vec<_> = records.map(|record| self.cells(record)).collect();
        session.bulk(&self.write, &rows).await.map(drop)
    }

    /// The records that a statement finds by this list of texts.
    pub(super) async fn fetch(
        &self,
        session: &mut dyn DbSession,
        sql: &Sql,
        list: &[&str],
    ) -> Result<Vec<Record>, DatabaseError> {
        if list.is_empty() {
            return Ok(Vec::new());
        }
        let ours = [Param::Text(&self.destination), Param::Text(&self.mapping)];
        let parameters = [&[Param::Texts(list)], &ours[..]].concat();
        let rows = session.fetch(sql, &parameters, &kinds()).await?;
        Ok(rows.into_iter().map(record).collect())
    }
}

/// Rows that are due and taken at a time: they cost every batch the same, however many wait.
pub(super) const DUE_MAX: i64 = 200;

/// `_versions`, on SQLite with the index on this column: where most rows have the same there, or null,
/// an `ANALYZE` lets it read the whole table instead.
fn indexed(scope: RecordScope<'_>, column: &'static str) -> String {
    let RecordScope { dialect, schema, .. } = scope;
    let table = dialect.table(schema, VERSIONS);
    if dialect != Dialect::Sqlite || column == "id" {
        return table;
    }
    let index = dialect.index_name(schema, &versions(), &["destination", "mapping", column]);
    format!("{table} INDEXED BY {}", quoted(&index))
}

fn postpone(dialect: Dialect, table: &str) -> Bulk {
    let kinds = vec![Kind::Id, Kind::Id, Kind::Id, Kind::Time, Kind::Integer];
    let same: Vec<_> = ["destination", "mapping", "id"].into_iter().enumerate().collect();
    let same: Vec<_> =
        same.iter().map(|(at, name)| format!("mine.{name} = {}", given(at + 1))).collect();
    Bulk::new(dialect, kinds, |rows| {
        format!(
            "UPDATE {table} AS mine SET retry_at = {}, tries = {} FROM {rows} WHERE {}",
            given(4),
            given(5),
            same.join(" AND ")
        )
    })
}

fn write(dialect: Dialect, table: &str, columns: &[&str]) -> Bulk {
    let kinds = [Kind::Id, Kind::Id].into_iter().chain(kinds()).collect();
    let listed = columns.join(", ");
    let set: Vec<_> = columns[1..].iter().map(|name| format!("{name} = excluded.{name}")).collect();
    Bulk::new(dialect, kinds, |given| {
        format!(
            "INSERT INTO {table} (destination, mapping, {listed})
             SELECT given.* FROM {given} WHERE true
             ON CONFLICT (destination, mapping, id) DO UPDATE SET {}",
            set.join(", ")
        )
    })
}

fn kinds() -> Vec<Kind> {
    COLUMNS.iter().map(|(_, kind)| *kind).collect()
}

impl RecordStatements {
    fn cells<'a>(&'a self, record: &'a Record) -> Vec<Cell<'a>> {
        let optional = |text: &'a Option<String>| text.as_deref().map_or(Cell::Null, Cell::Text);
        let version = record.version.as_ref();
        let integer = |value: Option<i64>| value.map_or(Cell::Null, Cell::Integer);
        vec![
            Cell::Text(&self.destination),
            Cell::Text(&self.mapping),
            Cell::Text(&record.id),
            integer(version.map(|version| version.updated_at_ms)),
            integer(version.map(|version| version.occurred_at_ms)),
            Cell::Integer(version.map_or(Rank::default(), |version| version.rank).stored()),
            version.map_or(Cell::Null, |version| Cell::Text(&version.message_id)),
            Cell::Integer(record.created_at_ms),
            optional(&record.parents[0]),
            optional(&record.parents[1]),
            optional(&record.key),
            optional(&record.given_key),
            Cell::Text(&record.values),
            integer(record.end.as_ref().map(|(at, _)| *at)),
            record.end.as_ref().map_or(Cell::Null, |(_, by)| Cell::Text(by)),
            optional(&record.shown),
            Cell::Boolean(record.flagged),
            record.waiting_since.map_or(Cell::Null, Cell::Time),
            Cell::Boolean(record.given_up),
            record.retry_at.map_or(Cell::Null, Cell::Time),
            Cell::Integer(record.tries),
            optional(&record.reason),
            optional(&record.constraint),
            optional(&record.waits_for),
            Cell::Text(&record.source),
            Cell::Text(&record.event_type),
            optional(&record.caused_by),
            Cell::Integer(record.revision),
        ]
    }
}

/// The columns come in the order of the fields.
fn record(row: Vec<Value>) -> Record {
    let mut row = row.into_iter();
    let mut next = || row.next().unwrap_or(Value::Null);
    Record {
        id: next().into_text().unwrap_or_default(),
        version: Version::from_columns([next(), next(), next(), next()]),
        created_at_ms: next().integer().unwrap_or(i64::MIN),
        parents: [next().into_text(), next().into_text()],
        key: next().into_text(),
        given_key: next().into_text(),
        values: next().into_text().unwrap_or_default(),
        end: next().integer().zip(next().into_text()),
        shown: next().into_text(),
        flagged: next().is_true(),
        waiting_since: next().time(),
        given_up: next().is_true(),
        retry_at: next().time(),
        tries: next().integer().unwrap_or(0),
        reason: next().into_text(),
        constraint: next().into_text(),
        waits_for: next().into_text(),
        source: next().into_text().unwrap_or_default(),
        event_type: next().into_text().unwrap_or_default(),
        caused_by: next().into_text(),
        revision: next().integer().unwrap_or(0),
    }
}
