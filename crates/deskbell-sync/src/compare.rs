//! Comparing a mirror with what Clerk's API answers: which rows are missing or older, and which are
//! not Clerk's.

use std::collections::HashMap;

use crate::batch::{Batch, Row, TableRows};
use crate::db::Param;
use crate::entity::Entity;
use crate::mapping::Mapping;
use crate::mirror_target::{ConnectError, TargetError};
use crate::options::MirrorOptions;
use crate::read_only::ReadOnlyMirror;
use crate::schema::{TOMBSTONES, VERSION_COLUMNS};
use crate::sql::StoredRows;
use crate::value::{Kind, Value};
use crate::version::Version;

/// Columns that Clerk changes without an event.
const WITHOUT_EVENTS: &[(&str, &[&str])] = &[
    ("user", &["last_active_at", "last_sign_in_at"]),
    ("organization", &["members_count", "pending_invitations_count"]),
];

/// A mirror opened to be compared. It changes nothing, and nobody waits for it.
#[derive(Debug)]
pub struct MirrorComparison {
    mirror: ReadOnlyMirror,
}

/// How the rows of one entity differ from objects of Clerk's, by their ids.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Differences {
    /// There is no row.
    pub missing: Vec<String>,
    /// Of these, those that the mirror has as deleted.
    pub deleted: Vec<String>,
    /// The row is older, or has other values.
    pub stale: Vec<String>,
    /// The row has other values in columns alone that Clerk changes without an event. That is no
    /// difference that an event would have prevented.
    pub unannounced: Vec<String>,
}

/// A row as far as it can be one that Clerk does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownRow {
    pub id: String,
    /// When what it was made from happened, in milliseconds since the Unix epoch.
    pub occurred_at_ms: i64,
}

impl Differences {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.missing.is_empty() && self.stale.is_empty()
    }
}

impl MirrorComparison {
    /// Opens the mirror of these options, whose tables are there.
    ///
    /// # Errors
    /// [`ConnectError`]: the options make no sense, or there is no such database.
    pub async fn open(options: &MirrorOptions) -> Result<Self, ConnectError> {
        let mirror = ReadOnlyMirror::new(options)?;
        mirror.connect().await?;
        Ok(Self { mirror })
    }

    /// Whether the mirror has a table of this entity.
    #[must_use]
    pub fn has(&self, entity: &Entity) -> bool {
        self.mirror.mapping(entity).is_some()
    }

    /// How many rows the entity has; those that are marked as deleted are none.
    ///
    /// # Errors
    /// The database failed.
    pub async fn count(&self, entity: &Entity) -> Result<u64, TargetError> {
        let sql = format!(
            "SELECT count(*) FROM {} WHERE {}",
            self.mirror.table(entity.table),
            self.mirror.alive()
        );
        let rows = self.mirror.fetch(sql.into(), &[], &[Kind::Integer]).await?;
        let count = rows.first().and_then(|row| row.first()).and_then(Value::integer);
        Ok(count.and_then(|count| u64::try_from(count).ok()).unwrap_or(0))
    }

    /// The rows behind this id, in the order of ids, so many at most.
    ///
    /// # Errors
    /// The database failed.
    pub async fn rows_after(
        &self,
        entity: &Entity,
        after: &str,
        rows_max: i64,
    ) -> Result<Vec<KnownRow>, TargetError> {
        let [_, occurred_at, ..] = VERSION_COLUMNS;
        let sql = format!(
            "SELECT id, {occurred_at} FROM {} WHERE id > $1 AND {} ORDER BY id LIMIT $2",
            self.mirror.table(entity.table),
            self.mirror.alive()
        );
        let parameters = [Param::Text(after), Param::Integer(rows_max)];
        let rows = self.mirror.fetch(sql.into(), &parameters, &[Kind::Id, Kind::Integer]).await?;
        let known = rows.into_iter().filter_map(|row| match <[Value; 2]>::try_from(row) {
            Ok([Value::Text(id), Value::Integer(occurred_at_ms)]) => {
                Some(KnownRow { id, occurred_at_ms })
            }
            _ => None,
        });
        Ok(known.collect())
    }

    /// Which of these entities have a row.
    ///
    /// # Errors
    /// The database failed.
    pub async fn existing(
        &self,
        entity: &Entity,
        ids: &[String],
    ) -> Result<Vec<String>, TargetError> {
        let listed = self.mirror.dialect().is_listed("id");
        let (table, alive) = (self.mirror.table(entity.table), self.mirror.alive());
        let sql = format!("SELECT id FROM {table} WHERE {listed} AND {alive}");
        let ids: Vec<_> = ids.iter().map(String::as_str).collect();
        let rows = self.mirror.fetch(sql.into(), &[Param::Texts(&ids)], &[Kind::Id]).await?;
        Ok(rows.into_iter().flatten().filter_map(Value::into_text).collect())
    }

    /// How the rows of this entity differ from those that the batch would make.
    ///
    /// # Errors
    /// The database failed.
    pub async fn compare(
        &self,
        entity: &Entity,
        batch: &Batch,
    ) -> Result<Differences, TargetError> {
        let mut differences = Differences::default();
        let of_entity = |rows: &&TableRows| rows.entity.name == entity.name;
        let (Some(mapping), Some(given)) =
            (self.mirror.mapping(entity), batch.tables.iter().find(of_entity))
        else {
            return Ok(differences);
        };
        let ids: Vec<_> = given.rows.iter().map(|row| row.id.as_str()).collect();
        let kept = self.kept(mapping, &ids).await?;
        for row in &given.rows {
            match kept.get(&row.id) {
                None => differences.missing.push(row.id.clone()),
                Some((version, values)) => match state_of(row, mapping, version, values) {
                    RowState::Same => {}
                    RowState::Stale => differences.stale.push(row.id.clone()),
                    RowState::Unannounced => differences.unannounced.push(row.id.clone()),
                },
            }
        }
        self.look_at_tombstones(given, &mut differences).await?;
        Ok(differences)
    }

    /// The versions and the values of these rows.
    async fn kept(
        &self,
        mapping: &Mapping,
        ids: &[&str],
    ) -> Result<HashMap<String, (Version, Vec<Value>)>, TargetError> {
        let mirror = &self.mirror;
        let stored = StoredRows::new(mirror.dialect(), mirror.schema(), mapping, &mirror.alive());
        let rows = mirror.fetch(stored.sql, &[Param::Texts(ids)], &stored.kinds).await?;
        let kept = rows.into_iter().filter_map(|mut row| {
            let values = row.split_off(VERSION_COLUMNS.len());
            let version = Version::from_columns(row.try_into().ok()?)?;
            let Some(Value::Text(id)) = values.first() else { return None };
            Some((id.clone(), (version, values)))
        });
        Ok(kept.collect())
    }

    /// What was deleted after Clerk answered is not missing.
    async fn look_at_tombstones(
        &self,
        given: &TableRows,
        differences: &mut Differences,
    ) -> Result<(), TargetError> {
        if differences.missing.is_empty() {
            return Ok(());
        }
        let missing: Vec<_> = differences.missing.iter().map(String::as_str).collect();
        let sql = format!(
            "SELECT id, occurred_at FROM {} WHERE entity = $2 AND {}",
            self.mirror.table(TOMBSTONES),
            self.mirror.dialect().is_listed("id")
        );
        let parameters = [Param::Texts(&missing), Param::Text(given.entity.name)];
        for row in self.mirror.fetch(sql.into(), &parameters, &[Kind::Id, Kind::Time]).await? {
            let [Some(Value::Text(id)), Some(gone_at)] = [row.first(), row.get(1)] else {
                continue;
            };
            let answered = given.rows.iter().find(|row| row.id == *id);
            let answered_at_ms = answered.map_or(i64::MAX, |row| row.version.occurred_at_ms);
            if gone_at.time().is_some_and(|at| at.as_millis() >= answered_at_ms) {
                differences.missing.retain(|missing| missing != id);
            } else {
                differences.deleted.push(id.clone());
            }
        }
        Ok(())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RowState {
    Same,
    Stale,
    Unannounced,
}

/// Whether the kept row is older than the given one, or has other values without being newer.
fn state_of(given: &Row, mapping: &Mapping, kept: &Version, values: &[Value]) -> RowState {
    // An object without `updated_at` has the time of the answer there.
    let has_own_time = given.version.updated_at_ms != given.version.occurred_at_ms;
    if has_own_time && kept.updated_at_ms != given.version.updated_at_ms {
        let is_older = kept.updated_at_ms < given.version.updated_at_ms;
        return if is_older { RowState::Stale } else { RowState::Same };
    }
    if *kept > given.version {
        return RowState::Same;
    }
    let of_entity = |(entity, _): &&(&str, &[&str])| *entity == mapping.entity.name;
    let without_events =
        WITHOUT_EVENTS.iter().find(of_entity).map_or(&[][..], |(_, columns)| columns);
    let pairs = mapping.columns.iter().zip(given.values.iter().zip(values)).enumerate();
    let mut differing = pairs
        .filter(|(position, _)| !given.absent.contains(position))
        .filter(|(_, (column, (given, kept)))| !is_same(given, kept, column.kind))
        .map(|(_, (column, _))| without_events.contains(&column.name))
        .peekable();
    if differing.peek().is_none() {
        return RowState::Same;
    }
    if differing.all(|is_without_event| is_without_event) {
        RowState::Unannounced
    } else {
        RowState::Stale
    }
}

fn is_same(given: &Value, kept: &Value, kind: Kind) -> bool {
    match (given, kept) {
        (Value::Json(given), Value::Json(kept)) => {
            let parsed = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
            parsed(given) == parsed(kept)
        }
        // Databases write truths as numbers, and numbers with more digits.
        (Value::Boolean(given), kept) => *given == kept.is_true(),
        (Value::Text(given), Value::Text(kept)) if kind == Kind::Decimal => {
            let number = |text: &str| text.parse::<f64>().ok();
            given == kept || number(given).is_some() && number(given) == number(kept)
        }
        (given, kept) => given == kept,
    }
}
