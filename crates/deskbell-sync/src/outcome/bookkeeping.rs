//! The mirror's bookkeeping, read in one snapshot. What a mirror of an earlier version does not have
//! yet is left out.

use std::collections::{HashMap, HashSet};

use clerk_webhooks::UnixMillis;
use deskbell_store::{LogId, Outcome, OutcomeKind, Seq};

use crate::db::{DatabaseError, DbSession, Dialect, Param};
use crate::mapping::Mappings;
use crate::mirror_target::{Blocked, ConnectError, Part, PartKind, check_schema_name, database};
use crate::options::MirrorOptions;
use crate::schema::{
    BLOCKED, CHECKPOINTS, DEAD_LETTERS, RANK_BEFORE, SUPPRESSED, TOMBSTONES, VERSION_COLUMNS,
    VERSIONS,
};
use crate::value::{Kind, Value};
use crate::version::Version;

/// Why an event is pending in a mirror that nothing was ever written to.
pub(super) const NOT_BEGUN: &str = "the mirror has not started to read the log";
/// The kind of a dead letter whose row the database refuses to delete.
const DELETE: &str = "delete";

/// One snapshot of a mirror's database.
#[derive(Debug)]
pub(super) struct Bookkeeping {
    session: Box<dyn DbSession>,
    dialect: Dialect,
    schema: String,
    /// The columns of each table that is there, by its name within the schema.
    columns: HashMap<String, HashSet<String>>,
}

/// The mirror's position in the log.
pub(super) struct MirrorPosition {
    pub(super) seq: Seq,
    pub(super) statements: Option<Seq>,
}

/// The record that an entity is deleted.
pub(super) struct Deleted {
    pub(super) at_ms: Option<i64>,
    pub(super) message_id: String,
}

/// A dead letter, or what still waits.
pub(super) struct StoredDeadLetter {
    pub(super) part: String,
    pub(super) entity: String,
    pub(super) id: String,
    reason: String,
    failed_at_ms: Option<i64>,
    is_delete: bool,
    waiting_since_ms: Option<i64>,
}

/// The record of an entity in a mapped table, or of what a statement has run for.
pub(super) struct KnownEntity {
    pub(super) version: Option<Version>,
    pub(super) key: Option<String>,
    pub(super) shown: Option<String>,
    /// The message that ended it.
    pub(super) ended_by: Option<String>,
    pub(super) waiting_since_ms: Option<i64>,
    pub(super) given_up: bool,
    pub(super) reason: Option<String>,
}

impl StoredDeadLetter {
    pub(super) fn outcome(&self) -> Outcome {
        if self.is_delete {
            let why = format!("the database rejects the delete: {}", self.reason);
            let since_ms = self.waiting_since_ms.or(self.failed_at_ms);
            return Outcome::new(OutcomeKind::Waiting, why).at(since_ms);
        }
        match self.waiting_since_ms {
            Some(since_ms) => Outcome::new(OutcomeKind::Waiting, &*self.reason).at(Some(since_ms)),
            None => Outcome::new(OutcomeKind::DeadLettered, &*self.reason).at(self.failed_at_ms),
        }
    }
}

impl Bookkeeping {
    /// Opens the database; the inner error is why it cannot be read now.
    pub(super) async fn open(
        options: &MirrorOptions,
        mappings: &Mappings,
    ) -> Result<Result<Self, String>, ConnectError> {
        check_schema_name(&options.database.schema)?;
        let database = database(&options.database.url)?;
        if database.is_absent() {
            return Ok(Err(NOT_BEGUN.to_owned()));
        }
        let dialect = database.dialect();
        let bookkeeping =
            [CHECKPOINTS, TOMBSTONES, SUPPRESSED, VERSIONS, DEAD_LETTERS, BLOCKED].into_iter();
        let mirrored = mappings.iter().map(|mapping| mapping.entity.table);
        let tables = bookkeeping.chain(mirrored);
        let tables: Vec<_> =
            tables.map(|table| dialect.local_name(&options.database.schema, table)).collect();
        let opening = async {
            let mut session = database.connect_to_read().await?;
            session.begin_to_read().await?;
            let columns = session.inventory(&options.database.schema, &tables).await?.columns;
            Ok(Self { session, dialect, schema: options.database.schema.clone(), columns })
        };
        Ok(opening.await.map_err(away))
    }

    pub(super) async fn close(self) -> Result<(), DatabaseError> {
        let Self { mut session, .. } = self;
        session.rollback().await?;
        session.close().await
    }

    /// The name of a table as people see it.
    pub(super) fn display_name(&self, table: &str) -> String {
        self.dialect.display_name(&self.schema, table)
    }

    pub(super) async fn position(
        &mut self,
        destination: &str,
        log_id: LogId,
    ) -> Result<Option<MirrorPosition>, DatabaseError> {
        let log_id = log_id.to_string();
        let parameters = [Param::Text(destination), Param::Text(&log_id)];
        let select = "seq, statements_seq";
        let condition = "destination = $1 AND log_id = $2";
        let kinds = [Kind::Integer; 2];
        let rows = self.select(CHECKPOINTS, select, condition, &parameters, &kinds).await?;
        Ok(rows.into_iter().next().map(|mut row| {
            let seq = Seq::new(row.take().integer().unwrap_or(0));
            let statements = row.take().integer().filter(|seq| *seq >= 0).map(Seq::new);
            MirrorPosition { seq, statements }
        }))
    }

    /// The version of the entity's row.
    pub(super) async fn row(
        &mut self,
        table: &str,
        id: &str,
    ) -> Result<Option<Version>, DatabaseError> {
        let rows = self.versions(table, "id = $1", &[Param::Text(id)]).await?;
        Ok(rows.into_iter().next())
    }

    /// The version of an entity whose row is taken away since a parent is deleted.
    pub(super) async fn suppressed(
        &mut self,
        entity: &str,
        id: &str,
    ) -> Result<Option<Version>, DatabaseError> {
        let parameters = [entity, id].map(Param::Text);
        let rows = self.versions(SUPPRESSED, "entity = $1 AND id = $2", &parameters).await?;
        Ok(rows.into_iter().next())
    }

    async fn versions(
        &mut self,
        table: &str,
        condition: &str,
        parameters: &[Param<'_>],
    ) -> Result<Vec<Version>, DatabaseError> {
        let select = self.version_columns(table);
        let rows = self.select(table, &select, condition, parameters, &VERSION_KINDS).await?;
        Ok(rows.into_iter().filter_map(|mut row| row.version()).collect())
    }

    pub(super) async fn tombstone(
        &mut self,
        entity: &str,
        id: &str,
    ) -> Result<Option<Deleted>, DatabaseError> {
        let parameters = [entity, id].map(Param::Text);
        let (select, kinds) = ("occurred_at, message_id", [Kind::Time, Kind::Id]);
        let condition = "entity = $1 AND id = $2";
        let rows = self.select(TOMBSTONES, select, condition, &parameters, &kinds).await?;
        Ok(rows.into_iter().next().map(|mut row| Deleted {
            at_ms: row.take().time().map(UnixMillis::as_millis),
            message_id: row.take().into_text().unwrap_or_default(),
        }))
    }

    /// The dead letters of this event, by its source and its message id.
    pub(super) async fn dead_letters(
        &mut self,
        destination: &str,
        (source, message_id): (&str, &str),
    ) -> Result<Vec<StoredDeadLetter>, DatabaseError> {
        let kind = self.optional(DEAD_LETTERS, "kind");
        let waiting = self.optional(DEAD_LETTERS, "waiting_since");
        let select = format!("part, entity, id, reason, failed_at, {kind}, {waiting}");
        let kinds = [Kind::Id, Kind::Id, Kind::Id, Kind::Text, Kind::Time, Kind::Id, Kind::Time];
        let condition = "destination = $1 AND source = $2 AND message_id = $3";
        let parameters = [destination, source, message_id].map(Param::Text);
        let rows = self.select(DEAD_LETTERS, &select, condition, &parameters, &kinds).await?;
        let letter = |mut row: Row| StoredDeadLetter {
            part: row.take().into_text().unwrap_or_default(),
            entity: row.take().into_text().unwrap_or_default(),
            id: row.take().into_text().unwrap_or_default(),
            reason: row.take().into_text().unwrap_or_default(),
            failed_at_ms: row.take().time().map(UnixMillis::as_millis),
            is_delete: row.take().into_text().is_some_and(|kind| kind == DELETE),
            waiting_since_ms: row.take().time().map(UnixMillis::as_millis),
        };
        Ok(rows.into_iter().map(letter).collect())
    }

    pub(super) async fn blocked(
        &mut self,
        destination: &str,
    ) -> Result<Vec<Blocked>, DatabaseError> {
        let select = "kind, part, seq, since, reason";
        let kinds = [Kind::Id, Kind::Id, Kind::Integer, Kind::Time, Kind::Text];
        let parameters = [Param::Text(destination)];
        let rows = self.select(BLOCKED, select, "destination = $1", &parameters, &kinds).await?;
        let part = |mut row: Row| {
            let (kind, name) = (row.take().into_text()?, row.take().into_text()?);
            Some(Blocked {
                part: Part { kind: PartKind::of(&kind)?, name },
                seq: Seq::new(row.take().integer()?),
                since: row.take().time(),
                reason: row.take().into_text().unwrap_or_default(),
                cause: String::new(),
                is_due: false,
            })
        };
        Ok(rows.into_iter().filter_map(part).collect())
    }

    /// The record of an entity in this mapped table, or of what this statement has run for.
    pub(super) async fn known(
        &mut self,
        destination: &str,
        mapping: &str,
        id: &str,
    ) -> Result<Option<KnownEntity>, DatabaseError> {
        let reason = self.optional(VERSIONS, "reason");
        let columns = self.version_columns(VERSIONS);
        let select = format!("{columns}, key, shown, ended_by, parked_since, given_up, {reason}");
        let mut kinds = VERSION_KINDS.to_vec();
        kinds.extend([Kind::Id, Kind::Id, Kind::Id, Kind::Time, Kind::Boolean, Kind::Text]);
        let mut condition = "mapping = $1 AND id = $2".to_owned();
        let mut parameters = [mapping, id].map(Param::Text).to_vec();
        if self.has(VERSIONS, "destination") {
            condition += " AND destination = $3";
            parameters.push(Param::Text(destination));
        }
        let rows = self.select(VERSIONS, &select, &condition, &parameters, &kinds).await?;
        Ok(rows.into_iter().next().map(|mut row| KnownEntity {
            version: row.version(),
            key: row.take().into_text(),
            shown: row.take().into_text(),
            ended_by: row.take().into_text(),
            waiting_since_ms: row.take().time().map(UnixMillis::as_millis),
            given_up: row.take().is_true(),
            reason: row.take().into_text(),
        }))
    }

    /// [`VERSION_COLUMNS`], with the rank that rows get which have none yet.
    fn version_columns(&self, table: &str) -> String {
        let [updated_at, occurred_at, rank, message_id] = VERSION_COLUMNS;
        let before = format!("CAST({RANK_BEFORE} AS BIGINT)");
        let rank = if self.has(table, rank) { rank } else { &before };
        [updated_at, occurred_at, rank, message_id].join(", ")
    }

    /// The column, or null where the table does not have it.
    fn optional(&self, table: &str, column: &'static str) -> &'static str {
        if self.has(table, column) { column } else { "NULL" }
    }

    fn has(&self, table: &str, column: &str) -> bool {
        let table = self.columns.get(&self.dialect.local_name(&self.schema, table));
        table.is_some_and(|columns| columns.contains(column))
    }

    /// None, where there is no such table.
    async fn select(
        &mut self,
        table: &str,
        select: &str,
        condition: &str,
        parameters: &[Param<'_>],
        kinds: &[Kind],
    ) -> Result<Vec<Row>, DatabaseError> {
        if !self.columns.contains_key(&self.dialect.local_name(&self.schema, table)) {
            return Ok(Vec::new());
        }
        let table = self.dialect.table(&self.schema, table);
        let sql = format!("SELECT {select} FROM {table} WHERE {condition}");
        let rows = self.session.fetch(&sql.into(), parameters, kinds).await?;
        Ok(rows.into_iter().map(|row| Row(row.into_iter())).collect())
    }
}

/// The values of a row, in order.
struct Row(std::vec::IntoIter<Value>);

impl Row {
    fn take(&mut self) -> Value {
        self.0.next().unwrap_or(Value::Null)
    }

    fn version(&mut self) -> Option<Version> {
        Version::from_columns([self.take(), self.take(), self.take(), self.take()])
    }
}

/// The kinds of [`VERSION_COLUMNS`].
const VERSION_KINDS: [Kind; VERSION_COLUMNS.len()] =
    [Kind::Integer, Kind::Integer, Kind::Integer, Kind::Id];

pub(super) fn away(error: DatabaseError) -> String {
    format!("the database is unavailable: {}", error.into_backend())
}
