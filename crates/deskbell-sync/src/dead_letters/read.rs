//! Reading dead letters, and the rows of mapped tables that wait.

use std::collections::HashSet;

use super::entry::{Choice, DeadLetterEntry, State};
use crate::db::{DatabaseError, DbSession, Dialect, Param};
use crate::inspect::InspectError;
use crate::mapping::Mappings;
use crate::mirror_target::{ConnectError, TargetError, check_schema_name, database};
use crate::options::MirrorOptions;
use crate::schema::{CAUSED_BY, DEAD_LETTERS, VERSIONS};
use crate::value::{Kind, Value};

/// The columns of what is read: when, the state, and then texts.
const KINDS: [Kind; 12] = [
    Kind::Time,
    Kind::Id,
    Kind::Id,
    Kind::Id,
    Kind::Id,
    Kind::Id,
    Kind::Id,
    Kind::Id,
    Kind::Text,
    Kind::Id,
    Kind::Id,
    Kind::Id,
];

pub(super) async fn entries(
    options: &MirrorOptions,
    choice: &Choice,
) -> Result<Vec<DeadLetterEntry>, InspectError> {
    check_schema_name(&options.database.schema)?;
    let mappings = Mappings::for_config(&options.database).map_err(ConnectError::from)?;
    let database = database(&options.database.url)?;
    if database.is_absent() {
        return Ok(Vec::new());
    }
    let mut session = database.connect_to_read().await.map_err(ConnectError::from)?;
    let found = async {
        session.begin_to_read().await?;
        let reading = Reading { dialect: database.dialect(), options };
        let mut found = reading.failed(session.as_mut()).await?;
        found.extend(reading.waiting(session.as_mut(), &mappings).await?);
        session.close().await?;
        Ok::<_, DatabaseError>(found)
    };
    let mut found: Vec<_> = found.await.map_err(TargetError::from)?;
    found.retain(|entry| choice.takes(entry));
    found.sort_by(|one, other| one.sort_key().cmp(&other.sort_key()));
    Ok(found)
}

impl Choice {
    fn takes(&self, entry: &DeadLetterEntry) -> bool {
        match self {
            Self::All => true,
            Self::These(ids) => ids.iter().any(|id| *id == entry.id || *id == entry.message_id),
            Self::Cause(cause) => [&entry.cause, &entry.constraint, &entry.table, &entry.reason]
                .into_iter()
                .any(|named| named.as_ref() == Some(cause)),
        }
    }
}

impl DeadLetterEntry {
    fn sort_key(&self) -> [&str; 5] {
        [&self.source, &self.message_id, &self.part, &self.entity, &self.id]
    }
}

struct Reading<'a> {
    dialect: Dialect,
    options: &'a MirrorOptions,
}

impl Reading<'_> {
    async fn failed(
        &self,
        session: &mut dyn DbSession,
    ) -> Result<Vec<DeadLetterEntry>, DatabaseError> {
        if self.columns_of(session, DEAD_LETTERS).await?.is_none() {
            return Ok(Vec::new());
        }
        let sql = format!(
            "SELECT coalesce(waiting_since, failed_at),
                    CASE WHEN retry THEN 'requested' WHEN kind = 'delete' THEN 'stuck'
                         WHEN waiting_since IS NOT NULL THEN 'waiting' ELSE 'failed' END,
                    source, message_id, event_type, part, entity, id, reason,
                    cause, constraint_name, table_name
             FROM {} WHERE destination = $1",
            self.dialect.table(&self.options.database.schema, DEAD_LETTERS)
        );
        let destination = [Param::Text(&self.options.destination)];
        let rows = session.fetch(&sql.into(), &destination, &KINDS).await?;
        Ok(rows.into_iter().map(|row| self.entry(row)).collect())
    }

    async fn waiting(
        &self,
        session: &mut dyn DbSession,
        mappings: &Mappings,
    ) -> Result<Vec<DeadLetterEntry>, DatabaseError> {
        let Some(columns) = self.columns_of(session, VERSIONS).await? else {
            return Ok(Vec::new());
        };
        if mappings.tables().is_empty() {
            return Ok(Vec::new());
        }
        // The database may be one that an earlier release still writes to.
        let caused_by = if columns.contains(CAUSED_BY) { CAUSED_BY } else { "NULL" };
        let said = "CASE WHEN constraint_name IS NULL THEN reason
                         ELSE reason || ' (constraint ' || constraint_name || ')' END";
        // What is known of a delete alone has no message of a version. A removal that is refused is
        // listed by its dead letter.
        let sql = format!(
            "SELECT parked_since, 'waiting', source,
                    coalesce(nullif(_message_id, ''), {caused_by}, ended_by, ''), event_type, mapping, '', id, {said}, NULL, constraint_name, NULL
             FROM {} AS waiting WHERE destination = $2 AND {} AND retry_at IS NOT NULL
                 AND NOT EXISTS (SELECT 1 FROM {} AS letter WHERE letter.destination = $2
                     AND letter.part = waiting.mapping AND letter.id = waiting.id)",
            self.dialect.table(&self.options.database.schema, VERSIONS),
            self.dialect.is_listed("mapping"),
            self.dialect.table(&self.options.database.schema, DEAD_LETTERS),
        );
        let names: Vec<_> = mappings.tables().iter().map(|table| &*table.name).collect();
        let parameters = [Param::Texts(&names), Param::Text(&self.options.destination)];
        let rows = session.fetch(&sql.into(), &parameters, &KINDS).await?;
        let mut entries: Vec<_> = rows.into_iter().map(|row| self.entry(row)).collect();
        for entry in &mut entries {
            let table = mappings.tables().iter().find(|table| table.name == entry.part);
            entry.entity = table.map_or("", |table| table.entity.name).to_owned();
        }
        Ok(entries)
    }

    /// The table's columns, if it is there.
    async fn columns_of(
        &self,
        session: &mut dyn DbSession,
        table: &str,
    ) -> Result<Option<HashSet<String>>, DatabaseError> {
        let name = self.dialect.local_name(&self.options.database.schema, table);
        let mut found =
            session.inventory(&self.options.database.schema, std::slice::from_ref(&name)).await?;
        Ok(found.columns.remove(&name))
    }

    fn entry(&self, row: Vec<Value>) -> DeadLetterEntry {
        let mut row = row.into_iter();
        let mut next = || row.next().unwrap_or(Value::Null);
        let since = next().time();
        let state = match next() {
            Value::Text(state) if state == "requested" => State::Requested,
            Value::Text(state) if state == "stuck" => State::Stuck,
            Value::Text(state) if state == "waiting" => State::Waiting,
            _ => State::Failed,
        };
        let mut text = || next().into_text();
        let mut id = || text().unwrap_or_default();
        DeadLetterEntry {
            state,
            since,
            destination: self.options.destination.clone(),
            source: id(),
            message_id: id(),
            event_type: id(),
            part: id(),
            entity: id(),
            id: id(),
            reason: text(),
            cause: text(),
            constraint: text(),
            table: text(),
        }
    }
}
