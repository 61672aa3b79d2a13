//! Rows that were made by another mapping, and whose events the log no longer has, are made again
//! from their own JSON: what was added is filled, what is excluded is emptied. A part at a time, so
//! that nobody waits long; a row that is done says so by its revision, so that it can be interrupted.

use std::time::{Duration, Instant};

use deskbell_store::Seq;

use super::existing_columns::ExistingColumns;
use super::migrate::MigrationPlan;
use super::open::Mirror;
use super::remake_position::{Cursor, RETRY_INTERVAL, RemakePosition};
use super::rows;
use crate::batch::Row;
use crate::checkpoint::Checkpoint;
use crate::db::{DatabaseError, DbSession, Param, end_unit, quoted};
use crate::fold::row_again;
use crate::json::Json;
use crate::mapping::Mapping;
use crate::mirror_target::{Remade, Rest};
use crate::schema::{CHECKPOINTS, MAPPING_REV, RAW, REMADE_REV, VERSION_COLUMNS};
use crate::sql::TableStatements;
use crate::value::{Kind, Value};
use crate::version::Version;

/// Rows in one part. More make the lock longer that others wait for, and memory with it.
const ROWS_MAX: usize = 100;
/// Parts of that size that are looked at in one transaction while none has a row to be made again.
const CHUNKS_MAX: usize = 10;
/// How long rows are made again in one transaction. Where somebody holds locks, the remaining rows
/// are left for the next pass.
const CHUNK_MAX: Duration = Duration::from_secs(5);

/// One part of one table.
struct Chunk<'a> {
    mirror: &'a Mirror,
    mapping: &'a Mapping,
    statements: &'a TableStatements,
    to_empty: &'a [&'static str],
}

/// A row of another mapping.
struct Stale {
    id: String,
    /// As it should be; `None` where its own JSON cannot be read.
    row: Option<Row>,
}

impl Mirror {
    /// Makes the rows of the next part again that has any to be made, in the transaction that is open.
    pub(super) async fn remake_next(
        &self,
        session: &mut dyn DbSession,
        current: &Checkpoint,
        position: &RemakePosition,
    ) -> Result<(RemakePosition, Remade), DatabaseError> {
        let mut cursor = match position {
            RemakePosition::At(cursor) => cursor.clone(),
            _ if self.is_remade(session, current).await? => {
                return Ok((RemakePosition::Done, Remade::default()));
            }
            _ => Cursor {
                table: 0,
                after: String::new(),
                to_empty: self.existing().to_empty(session).await?,
                refused: 0,
            },
        };
        let tables: Vec<_> = self.mappings.iter().zip(&self.statements.tables).collect();
        let started = Instant::now();
        let (mut looked_at, mut rows_written) = (0, 0);
        while looked_at < CHUNKS_MAX && rows_written == 0 && started.elapsed() < CHUNK_MAX {
            let (Some((mapping, statements)), Some(to_empty)) =
                (tables.get(cursor.table), cursor.to_empty.get(cursor.table))
            else {
                return self.end_pass(session, current, &cursor).await;
            };
            let chunk = Chunk { mirror: self, mapping, statements, to_empty };
            let end = chunk.end(session, &cursor.after).await?;
            let stale = chunk.fetch(session, &cursor.after, end.as_deref()).await?;
            let (written, refused) = chunk.remake(session, &stale, started).await?;
            (rows_written, looked_at) = (written, looked_at + 1);
            cursor.refused += refused;
            cursor.table += usize::from(end.is_none());
            cursor.after = end.unwrap_or_default();
        }
        Ok((RemakePosition::At(cursor), Remade { rows_written, rest: Rest::Now }))
    }

    /// Every row was looked at.
    async fn end_pass(
        &self,
        session: &mut dyn DbSession,
        current: &Checkpoint,
        cursor: &Cursor,
    ) -> Result<(RemakePosition, Remade), DatabaseError> {
        if cursor.refused == 0 {
            self.record_remade(session, current, &cursor.to_empty).await?;
            return Ok((RemakePosition::Done, Remade::default()));
        }
        tracing::warn!(
            destination = self.destination,
            rows = cursor.refused,
            retry_in_s = RETRY_INTERVAL.as_secs(),
            "the database rejects changes to rows of an earlier config; they are unchanged and \
             will be retried"
        );
        Ok((RemakePosition::retry_later(), Remade { rows_written: 0, rest: Rest::Later }))
    }

    pub(super) fn existing(&self) -> ExistingColumns<'_> {
        let (dialect, schema) = (self.database.dialect(), self.schema.as_str());
        ExistingColumns { dialect, schema, mappings: &self.mappings }
    }

    /// Has every row looked at once more, where the log is read again from its beginning.
    pub(super) async fn remake_again(
        &self,
        session: &mut dyn DbSession,
        next: &Checkpoint,
    ) -> Result<(), DatabaseError> {
        if next.seq == Seq::ZERO { self.set_remade(session, next, 0).await } else { Ok(()) }
    }

    async fn is_remade(
        &self,
        session: &mut dyn DbSession,
        current: &Checkpoint,
    ) -> Result<bool, DatabaseError> {
        let sql = format!(
            "SELECT {REMADE_REV} FROM {} WHERE destination = $1 AND log_id = $2",
            self.database.dialect().table(&self.schema, CHECKPOINTS)
        );
        let log_id = current.log_id.to_string();
        let parameters = [Param::Text(&current.destination), Param::Text(&log_id)];
        let rows = session.fetch(&sql.into(), &parameters, &[Kind::Integer]).await?;
        Ok(rows == [[Value::Integer(current.mapping_revision)]])
    }

    async fn record_remade(
        &self,
        session: &mut dyn DbSession,
        current: &Checkpoint,
        emptied: &[Vec<&'static str>],
    ) -> Result<(), DatabaseError> {
        let existing = self.existing();
        for (mapping, columns) in self.mappings.iter().zip(emptied) {
            for column in columns {
                let step = existing.emptied_step(mapping, column);
                let plan = MigrationPlan::new(existing.dialect, &self.schema, &[]);
                session.execute(&plan.record_sql(&step).into(), &[]).await?;
            }
        }
        self.set_remade(session, current, current.mapping_revision).await
    }

    async fn set_remade(
        &self,
        session: &mut dyn DbSession,
        checkpoint: &Checkpoint,
        revision: i64,
    ) -> Result<(), DatabaseError> {
        let sql = format!(
            "UPDATE {} SET {REMADE_REV} = $1 WHERE destination = $2 AND log_id = $3",
            self.database.dialect().table(&self.schema, CHECKPOINTS)
        );
        let log_id = checkpoint.log_id.to_string();
        let destination = Param::Text(&checkpoint.destination);
        let parameters = [Param::Integer(revision), destination, Param::Text(&log_id)];
        session.execute(&sql.into(), &parameters).await.map(drop)
    }
}

impl Chunk<'_> {
    /// The last id of the part behind `after`; `None` where the table ends in it.
    async fn end(
        &self,
        session: &mut dyn DbSession,
        after: &str,
    ) -> Result<Option<String>, DatabaseError> {
        let sql = format!(
            "SELECT id FROM {} WHERE id > $1 ORDER BY id LIMIT 1 OFFSET {}",
            self.table(),
            ROWS_MAX - 1
        );
        let rows = session.fetch(&sql.into(), &[Param::Text(after)], &[Kind::Id]).await?;
        Ok(rows.into_iter().flatten().next().and_then(Value::into_text))
    }

    /// Makes these rows again, but for those that the database refuses: they stay as they are. How many
    /// were changed, and how many were not.
    async fn remake(
        &self,
        session: &mut dyn DbSession,
        stale: &[Stale],
        started: Instant,
    ) -> Result<(u64, usize), DatabaseError> {
        if stale.is_empty() {
            return Ok((0, 0));
        }
        let (mut rows_written, mut refused, mut left) = (0, 0, vec![stale]);
        while let Some(stale) = left.pop() {
            if started.elapsed() > CHUNK_MAX {
                refused += stale.len();
                continue;
            }
            session.begin_unit().await?;
            let done = self.run(session, stale).await;
            match (end_unit(session, done).await?, stale) {
                (Ok(written), _) => rows_written += written,
                (Err(refusal), [row]) => {
                    refused += 1;
                    tracing::info!(
                        table = self.mapping.entity.table,
                        id = row.id,
                        reason = %refusal,
                        "a row of an earlier config is unchanged"
                    );
                }
                _ => {
                    let (first, second) = stale.split_at(stale.len() / 2);
                    left.extend([second, first]);
                }
            }
        }
        Ok((rows_written, refused))
    }

    async fn run(
        &self,
        session: &mut dyn DbSession,
        stale: &[Stale],
    ) -> Result<u64, DatabaseError> {
        let rows: Vec<_> = stale.iter().filter_map(|stale| stale.row.as_ref()).collect();
        let rows_written = rows::write(session, self.statements, &rows).await?;
        let ids: Vec<_> = stale.iter().map(|stale| stale.id.as_str()).collect();
        let ids = [Param::Texts(&ids)];
        if let Some(empty) = self.empty_sql() {
            session.execute(&empty.into(), &ids).await?;
        }
        for settle in &self.statements.settle {
            session.execute(settle, &ids).await?;
        }
        Ok(rows_written)
    }

    /// The rows between these ids that are of another mapping.
    async fn fetch(
        &self,
        session: &mut dyn DbSession,
        after: &str,
        end: Option<&str>,
    ) -> Result<Vec<Stale>, DatabaseError> {
        let own = self.mapping.columns.iter().map(|column| (column.name, column.kind));
        let [updated_at, occurred_at, rank, message_id] = VERSION_COLUMNS;
        let integers = [updated_at, occurred_at, rank].map(|name| (name, Kind::Integer));
        let behind = [(RAW, Kind::Json)].into_iter().chain(integers);
        let columns = [("id", Kind::Id)].into_iter().chain(own).chain(behind);
        let columns: Vec<_> = columns.chain([(message_id, Kind::Id)]).collect();
        let dialect = self.mirror.database.dialect();
        let read = columns.iter().map(|(name, kind)| dialect.read(&quoted(name), *kind));
        let filled = self.to_empty.iter().map(|name| format!(" OR {} IS NOT NULL", quoted(name)));
        let sql = format!(
            "SELECT {} FROM {} WHERE id > $1 {} AND ({MAPPING_REV} <> {}{}) ORDER BY id",
            read.collect::<Vec<_>>().join(", "),
            self.table(),
            if end.is_some() { "AND id <= $2" } else { "" },
            self.mapping.revision,
            filled.collect::<String>(),
        );
        let parameters: Vec<_> =
            [Some(after), end].into_iter().flatten().map(Param::Text).collect();
        let kinds: Vec<_> = columns.iter().map(|(_, kind)| *kind).collect();
        let rows = session.fetch(&sql.into(), &parameters, &kinds).await?;
        Ok(rows.into_iter().filter_map(|row| self.stale(row)).collect())
    }

    fn stale(&self, mut stored: Vec<Value>) -> Option<Stale> {
        let own = stored.split_off(1);
        let Some(Value::Text(id)) = stored.pop() else { return None };
        Some(Stale { id, row: self.row(own) })
    }

    fn row(&self, mut stored: Vec<Value>) -> Option<Row> {
        let behind = stored.split_off(self.mapping.columns.len());
        let [raw, version @ ..] = <[Value; 5]>::try_from(behind).ok()?;
        let (Value::Json(raw), Some(version)) = (raw, Version::from_columns(version)) else {
            return None;
        };
        let raw: Box<serde_json::value::RawValue> = serde_json::from_str(&raw).ok()?;
        row_again(&self.mirror.mappings, self.mapping, version, Json::from(&*raw), stored)
    }

    /// Parameter: ids.
    fn empty_sql(&self) -> Option<String> {
        if self.to_empty.is_empty() {
            return None;
        }
        let set = self.to_empty.iter().map(|name| format!("{} = NULL", quoted(name)));
        let filled = self.to_empty.iter().map(|name| format!("{} IS NOT NULL", quoted(name)));
        Some(format!(
            "UPDATE {} SET {} WHERE {} AND ({})",
            self.table(),
            set.collect::<Vec<_>>().join(", "),
            self.mirror.database.dialect().is_listed("id"),
            filled.collect::<Vec<_>>().join(" OR "),
        ))
    }

    fn table(&self) -> String {
        self.mirror.database.dialect().table(&self.mirror.schema, self.mapping.entity.table)
    }
}
