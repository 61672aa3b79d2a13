//! What Clerk's API says of deletes: rows that Clerk does not have go, and what Clerk has may come
//! back.

use deskbell_store::LogId;

use super::connection::OpenConnection;
use super::open::Mirror;
use crate::batch::{Batch, EventRef, MappedChanges, MappedDeletion, Tombstone};
use crate::db::{DatabaseError, DbSession, Param, Sql};
use crate::entity::Entity;
use crate::fetched::FetchedFrom;
use crate::mirror_target::{FetchedCommit, TargetError};
use crate::schema::{TOMBSTONES, VERSIONS};

/// Deletes that are to be forgotten.
#[derive(Debug, Clone, Copy)]
pub(super) struct Forgotten<'a> {
    entity: &'static Entity,
    ids: &'a [String],
    which: Which,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Which {
    /// Those that the API said, and what is known of them in mapped tables where they have no row.
    OfApi,
    All,
}

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
        let forgotten = Forgotten { entity, ids, which: Which::OfApi };
        self.apply_beside(connected, &batch, Some(forgotten), log_id).await
    }

    /// Forgets that these entities were deleted.
    pub(super) async fn lift(
        &self,
        connected: &mut OpenConnection,
        entity: &'static Entity,
        ids: &[String],
    ) -> Result<u64, DatabaseError> {
        let session = connected.session.as_mut();
        session.begin(&self.schema, self.batch_limits()).await?;
        let lifted = self.forget(session, Forgotten { entity, ids, which: Which::All }).await?;
        session.commit().await?;
        Ok(lifted)
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

    /// Forgets these deletes, in the transaction that is open. The number of tombstones.
    pub(super) async fn forget(
        &self,
        session: &mut dyn DbSession,
        forgotten: Forgotten<'_>,
    ) -> Result<u64, DatabaseError> {
        let Forgotten { entity, ids, which } = forgotten;
        let dialect = self.database.dialect();
        let (tombstones, versions) =
            (dialect.table(&self.schema, TOMBSTONES), dialect.table(&self.schema, VERSIONS));
        let listed = dialect.is_listed("id");
        let ids: Vec<_> = ids.iter().map(String::as_str).collect();
        let by_api = if which == Which::OfApi { " AND message_id = ''" } else { "" };
        let sql: Sql =
            format!("DELETE FROM {tombstones} WHERE entity = $2 AND {listed}{by_api}").into();
        let parameters = [Param::Texts(&ids), Param::Text(entity.name)];
        let lifted = session.execute(&sql, &parameters).await?;
        let ours = format!("destination = $2 AND mapping = $3 AND {listed}");
        let sql: Sql = match which {
            Which::OfApi => {
                format!("DELETE FROM {versions} WHERE {ours} AND ended_by = '' AND shown IS NULL")
            }
            Which::All => {
                format!("UPDATE {versions} SET ended_at_ms = NULL, ended_by = NULL WHERE {ours}")
            }
        }
        .into();
        for table in self.mappings.tables().iter().filter(|table| table.entity == entity) {
            let ours = [&self.destination, &table.name].map(|text| Param::Text(text));
            let [destination, name] = ours;
            session.execute(&sql, &[Param::Texts(&ids), destination, name]).await?;
        }
        Ok(lifted)
    }
}
