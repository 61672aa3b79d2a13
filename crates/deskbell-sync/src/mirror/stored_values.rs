//! What the mirror has in columns of which an object from the API says nothing.

use std::collections::HashMap;

use super::blocked::BlockedParts;
use super::open::Mirror;
use crate::batch::{Batch, Row, TableRows};
use crate::db::{DatabaseError, DbSession, Param, end_unit};
use crate::mapping::Mapping;
use crate::mirror_target::PartKind;
use crate::schema::VERSION_COLUMNS;
use crate::sql::StoredRows;
use crate::value::Value;
use crate::version::Version;

impl Mirror {
    /// The batch with what the rows have in columns of which its objects say nothing. `None`: there are
    /// none. Where it `isolates` and the database refuses to say it, the columns are as the batch has them;
    /// otherwise blocked tables are left alone.
    pub(super) async fn with_stored_values(
        &self,
        session: &mut dyn DbSession,
        batch: &Batch,
        blocked: &BlockedParts,
        isolates: bool,
    ) -> Result<Option<Batch>, DatabaseError> {
        if batch.tables.iter().flat_map(|table| &table.rows).all(|row| row.absent.is_empty()) {
            return Ok(None);
        }
        let mut completed = batch.clone();
        for table in &mut completed.tables {
            let Some(mapping) = self.mappings.of(table.entity) else { continue };
            if isolates {
                session.begin_unit().await?;
                let done = self.complete(session, mapping, table).await;
                // Writing to such a table is refused too, and looked into there.
                let _ = end_unit(session, done).await?;
            } else if !blocked.has(PartKind::Mirror, table.entity.table) {
                self.complete(session, mapping, table).await?;
            }
        }
        Ok(Some(completed))
    }

    async fn complete(
        &self,
        session: &mut dyn DbSession,
        mapping: &Mapping,
        table: &mut TableRows,
    ) -> Result<(), DatabaseError> {
        let rows = table.rows.iter_mut().filter(|row| !row.absent.is_empty());
        let mut rows: HashMap<String, &mut Row> = rows.map(|row| (row.id.clone(), row)).collect();
        if rows.is_empty() {
            return Ok(());
        }
        let ids: Vec<String> = rows.keys().cloned().collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let stored = StoredRows::new(self.database.dialect(), &self.schema, mapping, "true");
        for found in session.fetch(&stored.sql, &[Param::Texts(&ids)], &stored.kinds).await? {
            let mut version = found;
            let mut values = version.split_off(VERSION_COLUMNS.len());
            let Some(Value::Text(id)) = values.first() else { continue };
            let Some(row) = rows.get_mut(id) else { continue };
            let version = <[Value; 4]>::try_from(version).ok().and_then(Version::from_columns);
            // An event of the batch that is newer than the row has said what is in these columns.
            if row.caused_by.as_ref().is_some_and(|event| version.is_none_or(|kept| **event > kept))
            {
                continue;
            }
            for position in row.absent.clone() {
                if let (Some(given), Some(stored)) =
                    (row.values.get_mut(position), values.get_mut(position))
                {
                    std::mem::swap(given, stored);
                }
            }
        }
        Ok(())
    }
}
