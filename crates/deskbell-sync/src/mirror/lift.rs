//! What Clerk's API says of deletes: rows that Clerk does not have go, and what Clerk has may come
//! back.

use deskbell_store::LogId;

use super::connection::OpenConnection;
use super::open::Mirror;
use crate::batch::{Batch, EventRef, MappedChanges, MappedDeletion, Tombstone};
use crate::db::{DatabaseError, Param, Sql};
use crate::entity::Entity;
use crate::fetched::FetchedFrom;
use crate::mirror_target::{FetchedCommit, TargetError};
use crate::schema::{TOMBSTONES, VERSIONS};

impl Mirror {
    /// Removes these rows as their deletes would, and leaves nothing that keeps them out.
    pub(super) async fn remove_beside(
        &self,
        connected: &mut OpenConnection,
        (entity, ids): (&'static Entity, &[String]),
        from: &FetchedFrom,
        at_ms: i64,
        log_id: LogId,
    ) -> Result<FetchedCommit, TargetError> {
        let batch = self.deletes(entity, ids, from, at_ms);
        let mut commit = self.apply_beside(connected, &batch, log_id).await?;
        let forgotten = self.forget(connected, entity, ids, true).await?;
        commit.rows_written = forgotten;
        Ok(commit)
    }

    fn deletes(
        &self,
        entity: &'static Entity,
        ids: &[String],
        from: &FetchedFrom,
        at_ms: i64,
    ) -> Batch {
        let event_type = entity.deleted_by.first().copied().unwrap_or_default();
        let event = EventRef { source: from.source.clone(), event_type: event_type.into() };
        let tombstones = ids.iter().map(|id| Tombstone {
            entity: entity.name,
            id: id.clone(),
            occurred_at_ms: at_ms,
            message_id: String::new(),
            event: event.clone(),
        });
        let end = |id: &String| MappedDeletion {
            id: id.clone(),
            occurred_at_ms: at_ms,
            message_id: String::new(),
            created_at_ms: i64::MIN,
            key: None,
        };
        let mapped = self.mappings.tables().iter().map(|table| {
            let ends =
                if table.entity == entity { ids.iter().map(end).collect() } else { Vec::new() };
            MappedChanges { ends, ..MappedChanges::default() }
        });
        Batch { tombstones: tombstones.collect(), mapped: mapped.collect(), ..Batch::default() }
    }

    /// Forgets the deletes of these entities: those of the API alone, if `of_api`. Then also what is
    /// known of them in mapped tables where they have no row. The number of tombstones.
    pub(super) async fn forget(
        &self,
        connected: &mut OpenConnection,
        entity: &Entity,
        ids: &[String],
        of_api: bool,
    ) -> Result<u64, DatabaseError> {
        let dialect = self.database.dialect();
        let (tombstones, versions) =
            (dialect.table(&self.schema, TOMBSTONES), dialect.table(&self.schema, VERSIONS));
        let listed = dialect.is_listed("id");
        let ids: Vec<_> = ids.iter().map(String::as_str).collect();
        let session = connected.session.as_mut();
        session.begin(&self.schema, self.batch_limits()).await?;
        let by_api = if of_api { " AND message_id = ''" } else { "" };
        let sql: Sql =
            format!("DELETE FROM {tombstones} WHERE entity = $2 AND {listed}{by_api}").into();
        let parameters = [Param::Texts(&ids), Param::Text(entity.name)];
        let forgotten = session.execute(&sql, &parameters).await?;
        let ours = format!("destination = $2 AND mapping = $3 AND {listed}");
        let sql: Sql = match of_api {
            true => {
                format!("DELETE FROM {versions} WHERE {ours} AND ended_by = '' AND shown IS NULL")
            }
            false => {
                format!("UPDATE {versions} SET ended_at_ms = NULL, ended_by = NULL WHERE {ours}")
            }
        }
        .into();
        for table in self.mappings.tables().iter().filter(|table| table.entity == entity) {
            let [destination, name] =
                [&self.destination, &table.name].map(|text| Param::Text(text));
            session.execute(&sql, &[Param::Texts(&ids), destination, name]).await?;
        }
        session.commit().await?;
        Ok(forgotten)
    }
}
