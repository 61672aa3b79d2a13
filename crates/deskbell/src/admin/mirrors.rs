//! Mirrors with their tables.

use std::time::Duration;

use async_trait::async_trait;
use deskbell_admin::{AdminError, Destinations, MirrorTable, MirrorView, Mirrors};
use deskbell_sync::entity;
use deskbell_sync::inspect::{InspectError, MirrorReader, TableCount};
use deskbell_trust::with_causes;
use tokio::time::timeout;

use super::local::LocalAdmin;
use crate::config::{DatabaseConfig, DestinationKind};
use crate::unavailable::unavailable;

/// How long counting the rows may take.
const COUNT_MAX: Duration = Duration::from_secs(2);

#[async_trait]
impl Mirrors for LocalAdmin {
    async fn mirrors(&self) -> Result<Vec<MirrorView>, AdminError> {
        let all = self.destinations().await?.into_iter();
        let mirrors = all.filter(|one| one.destination_type.as_deref() == Some("database"));
        let view = |destination| MirrorView { destination, tables: Vec::new(), error: None };
        Ok(mirrors.map(view).collect())
    }

    async fn mirror(&self, name: &str) -> Result<MirrorView, AdminError> {
        let destination = self.destination(name).await?;
        let Some(database) = self.database(name) else {
            return Err(AdminError::not_found("mirror", name));
        };
        let counted = timeout(COUNT_MAX, count(database)).await;
        let (mut tables, error) = match counted {
            Ok(Ok(counts)) => (counts.into_iter().map(table).collect(), None),
            Ok(Err(error)) => (Vec::new(), Some(with_causes(&error))),
            Err(_) => (Vec::new(), Some("counting its rows takes too long".to_owned())),
        };
        tables.extend(mapped(database));
        Ok(MirrorView { destination, tables, error })
    }
}

impl LocalAdmin {
    fn database(&self, name: &str) -> Option<&DatabaseConfig> {
        let found = self.config.destinations.iter().find(|one| one.name == name)?;
        match &found.kind {
            DestinationKind::Database(database) => Some(database),
            _ => None,
        }
    }

    pub(super) fn is_mirror(&self, name: &str) -> bool {
        self.database(name).is_some()
    }

    /// Stops or starts the mirror in every process, by the effective config.
    pub(super) async fn set_mirror_paused(
        &self,
        name: &str,
        is_paused: bool,
    ) -> Result<(), AdminError> {
        self.store.set_mirror_paused(name, is_paused).await.map_err(unavailable)?;
        self.endpoints.apply(&*self.store).await
    }
}

async fn count(database: &DatabaseConfig) -> Result<Vec<TableCount>, InspectError> {
    if !database.mirror {
        return Ok(Vec::new());
    }
    let reader = MirrorReader::open_schema(&database.url, &database.schema).await?;
    reader.tables().await
}

fn table(count: TableCount) -> MirrorTable {
    let entity = entity::ALL.iter().find(|entity| entity.table == count.name);
    MirrorTable {
        entity: entity.map_or(count.name, |entity| entity.name).to_owned(),
        name: count.table,
        mapped: false,
        rows: Some(count.rows),
    }
}

/// The application's own tables, whose rows are not all ours.
fn mapped(database: &DatabaseConfig) -> impl Iterator<Item = MirrorTable> {
    database.tables.iter().map(|table| MirrorTable {
        name: table.into.clone(),
        entity: table.entity.clone(),
        mapped: true,
        rows: None,
    })
}
