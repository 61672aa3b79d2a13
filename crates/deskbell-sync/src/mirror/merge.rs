//! Merging what was rebuilt beside the live tables into them.

use deskbell_store::{ConsumerLog, ReadLimit, Seq, StoreError, StoredEvent};

use super::application::Application;
use super::apply::of_mapped_table;
use super::blocked::BlockedParts;
use super::checkpoints;
use super::connection::OpenConnection;
use super::migrate::MigrationPlan;
use super::open::Mirror;
use super::streak::Streaks;
use crate::checkpoint::Checkpoint;
use crate::db::{DatabaseError, DbSession, Limits, Param, Sql, Table, quoted};
use crate::entity::{self, Entity};
use crate::fold::Fold;
use crate::mapping::Mappings;
use crate::mirror_target::{ConnectError, TargetError, check_schema_name, database};
use crate::options::MirrorOptions;
use crate::schema::{self, CHECKPOINTS, SUPPRESSED, TOMBSTONES, VERSIONS};
use crate::sql::{MergeStatements, Schemas};
use crate::value::{Kind, Value};

/// The input of a merge into the live tables.
pub(crate) struct Merge<'a> {
    pub(crate) store: &'a dyn ConsumerLog,
    pub(crate) shadow: &'a Mirror,
    /// To the shadow's tables.
    pub(crate) fold: &'a Fold,
    /// To the application's tables too.
    pub(crate) whole: &'a Fold,
    /// The last event that was applied to the shadow.
    pub(crate) from: Seq,
    /// The events up to there that said something which the log no longer knows.
    pub(crate) payloads_pruned: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Merged {
    pub(crate) events: u64,
    pub(crate) rows_written: u64,
    pub(crate) rows_removed: u64,
    pub(crate) payloads_pruned: u64,
}

/// A merge that changed nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MergeError {
    #[error("the live mirror has no checkpoint")]
    NotStarted,
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Target(#[from] TargetError),
}

impl From<DatabaseError> for MergeError {
    fn from(error: DatabaseError) -> Self {
        Self::Target(error.into())
    }
}

impl Mirror {
    /// Removes a mirror that was built beside another one. Refuses what is not ours.
    pub(crate) async fn remove(options: &MirrorOptions) -> Result<(), ConnectError> {
        let config = &options.database;
        check_schema_name(&config.schema)?;
        let tables = schema::tables(&Mappings::for_config(config)?);
        let (database, schema) = (database(&config.url)?, config.schema.as_str());
        let mut session = database.connect().await?;
        let dialect = database.dialect();
        let plan = MigrationPlan::new(dialect, schema, &tables);
        plan.check(session.as_mut()).await?;
        session.begin(schema, Limits::Unlimited).await?;
        let made_schema = plan.made_schema(session.as_mut()).await?;
        for table in &tables {
            let name = dialect.table(schema, table.name);
            session.execute(&format!("DROP TABLE IF EXISTS {name}").into(), &[]).await?;
        }
        if made_schema {
            let name = quoted(schema);
            session.execute(&format!("DROP SCHEMA {name}").into(), &[]).await?;
        }
        session.commit().await?;
        session.close().await?;
        Ok(())
    }

    /// The checkpoints of every destination that fills these tables.
    pub(crate) async fn every_checkpoint(&self) -> Result<Vec<Checkpoint>, TargetError> {
        let mut unit = self.unit().await?;
        let session = unit.connected.session.as_mut();
        let checkpoints = self.database.dialect().table(&self.schema, CHECKPOINTS);
        let names = format!("SELECT DISTINCT destination FROM {checkpoints} ORDER BY 1");
        let names = session.fetch(&names.into(), &[], &[Kind::Id]).await?;
        let mut every = Vec::new();
        for name in names.into_iter().flatten().filter_map(Value::into_text) {
            let select = &self.statements.checkpoints;
            every.extend(checkpoints::read(session, select, &name).await?);
        }
        unit.keep();
        Ok(every)
    }

    /// Brings the shadow to the live tables' checkpoint, and makes these the same, in one
    /// transaction. The application's tables are written anew from the whole log.
    pub(crate) async fn merge(
        &self,
        merge: Merge<'_>,
        destination: &str,
    ) -> Result<Merged, MergeError> {
        let mut unit = self.unit().await?;
        let OpenConnection { session, application, .. } = &mut unit.connected;
        let session = session.as_mut();
        session.begin(&self.schema, Limits::Unlimited).await?;
        let select = &self.statements.checkpoints;
        let live_checkpoint = checkpoints::read(session, select, destination).await?;
        let live_checkpoint = live_checkpoint.into_iter().next().ok_or(MergeError::NotStarted)?;
        let mut merged = self.catch_up(session, &merge, &live_checkpoint).await?;
        self.merge_tables(session, merge.shadow, &mut merged).await?;
        if application.tables().next().is_some() {
            self.write_again(session, application, &merge, &live_checkpoint, &mut merged).await?;
        }
        session.commit().await?;
        unit.keep();
        Ok(merged)
    }

    async fn catch_up(
        &self,
        session: &mut dyn DbSession,
        merge: &Merge<'_>,
        live_checkpoint: &Checkpoint,
    ) -> Result<Merged, MergeError> {
        let mut merged = Merged { payloads_pruned: merge.payloads_pruned, ..Merged::default() };
        let nothing = Application::default();
        let mut at = merge.from;
        while let Some(events) = events_up_to(merge, at, live_checkpoint.seq).await? {
            at = events.last().map_or(live_checkpoint.seq, |event| event.seq);
            merged.events += u64::try_from(events.len()).unwrap_or(u64::MAX);
            let batch = merge.fold.fold(&events);
            merged.payloads_pruned += batch.counts.pruned;
            let mut streaks = Streaks::default();
            let shadow = merge.shadow;
            let mut writer =
                shadow.writer(&nothing, &mut streaks, live_checkpoint, BlockedParts::default());
            writer.ran_up_to = None;
            writer.isolates = true;
            writer.apply(session, &batch).await?;
        }
        Ok(merged)
    }

    async fn merge_tables(
        &self,
        session: &mut dyn DbSession,
        shadow: &Self,
        merged: &mut Merged,
    ) -> Result<(), MergeError> {
        let dialect = self.database.dialect();
        let schemas = Schemas { dialect, live: &self.schema, shadow: &shadow.schema };
        let is_merged = |table: &&Table| {
            !table.name.starts_with('_') || [TOMBSTONES, SUPPRESSED].contains(&table.name)
        };
        for table in self.tables.iter().filter(is_merged) {
            // With gaps in the log, a live row may be of an event that nobody can read any more.
            let has_gaps = merged.payloads_pruned > 0;
            let statements = MergeStatements::new(schemas, table, owner(table.name), has_gaps);
            if !has_gaps {
                merged.rows_removed += session.execute(&statements.remove, &[]).await?;
            }
            merged.rows_written += session.execute(&statements.write, &[]).await?;
        }
        Ok(())
    }

    /// The application's rows, as the log has them: every entity is looked at, whatever is known of it.
    async fn write_again(
        &self,
        session: &mut dyn DbSession,
        application: &Application,
        merge: &Merge<'_>,
        live_checkpoint: &Checkpoint,
        merged: &mut Merged,
    ) -> Result<(), MergeError> {
        let versions = self.database.dialect().table(&self.schema, VERSIONS);
        let forget: Sql = format!(
            "UPDATE {versions} SET mapping_rev = 0 WHERE destination = $1 AND mapping = $2"
        )
        .into();
        for table in self.mappings.tables() {
            let mapping = [Param::Text(&live_checkpoint.destination), Param::Text(&table.name)];
            session.execute(&forget, &mapping).await?;
        }
        let mut streaks = Streaks::default();
        let writer =
            self.writer(application, &mut streaks, live_checkpoint, BlockedParts::default());
        let mut at = Seq::ZERO;
        while let Some(events) = events_up_to(merge, at, live_checkpoint.seq).await? {
            at = events.last().map_or(live_checkpoint.seq, |event| event.seq);
            let batch = merge.whole.fold(&events);
            for (index, table) in application.tables() {
                let applied = table.apply(session, &batch, index, self.timeout, true).await?;
                merged.rows_written += applied.rows_written - applied.rows_removed;
                merged.rows_removed += applied.rows_removed;
                writer.resolve(session, &applied).await?;
                let refused = of_mapped_table(applied).collect();
                writer.keep(session, refused).await?;
            }
        }
        Ok(())
    }
}

async fn events_up_to(
    merge: &Merge<'_>,
    after: Seq,
    last: Seq,
) -> Result<Option<Vec<StoredEvent>>, MergeError> {
    if after >= last {
        return Ok(None);
    }
    let mut events = merge.store.read(after, ReadLimit::default()).await?;
    events.retain(|event| event.seq <= last);
    Ok(Some(events).filter(|events| !events.is_empty()))
}

/// The entity that the table's rows belong to, and the column that has its id.
fn owner(table: &str) -> Option<(&'static Entity, &'static str)> {
    entity::ALL.iter().find_map(|entity| {
        if entity.table == table {
            return Some((*entity, "id"));
        }
        let list = entity.children.iter().find(|list| list.table == table)?;
        Some((*entity, list.parent))
    })
}
