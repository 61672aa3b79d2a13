//! A mirror opened to be read: it changes nothing, and nobody waits for it.

use std::sync::Arc;

use tokio::sync::Mutex;

use crate::config::OnDelete;
use crate::db::{DbSession, Dialect, MirrorDatabase, Param, Sql};
use crate::entity::Entity;
use crate::mapping::{Mapping, Mappings};
use crate::mirror_target::{ConnectError, TargetError, check_schema_name, database};
use crate::options::MirrorOptions;
use crate::schema::DELETED_AT;
use crate::value::{Kind, Value};

/// One connection to a mirror, made when it is first needed.
#[derive(Debug)]
pub(crate) struct ReadOnlyMirror {
    database: Arc<dyn MirrorDatabase>,
    schema: String,
    mappings: Mappings,
    session: Mutex<Option<Box<dyn DbSession>>>,
}

impl ReadOnlyMirror {
    /// The mirror of these options. Nothing is touched before it is read.
    pub(crate) fn new(options: &MirrorOptions) -> Result<Self, ConnectError> {
        let config = &options.database;
        check_schema_name(&config.schema)?;
        let mappings = Mappings::for_config(config)?;
        let (database, schema) = (database(&config.url)?, config.schema.clone());
        Ok(Self { database, schema, mappings, session: Mutex::new(None) })
    }

    /// Connects now, so that a database which is not there is known.
    pub(crate) async fn connect(&self) -> Result<(), ConnectError> {
        let session = self.database.connect_to_read().await?;
        *self.session.lock().await = Some(session);
        Ok(())
    }

    /// The mapping of this entity, if it is mirrored.
    pub(crate) fn mapping(&self, entity: &Entity) -> Option<&Mapping> {
        self.mappings.of(entity)
    }

    pub(crate) fn dialect(&self) -> Dialect {
        self.database.dialect()
    }

    pub(crate) fn schema(&self) -> &str {
        &self.schema
    }

    /// The table as statements name it.
    pub(crate) fn table(&self, table: &str) -> String {
        self.dialect().table(&self.schema, table)
    }

    /// The condition that a row is not marked as deleted.
    pub(crate) fn alive(&self) -> String {
        match self.mappings.on_delete() {
            OnDelete::Delete => "true".to_owned(),
            OnDelete::Mark => format!("{DELETED_AT} IS NULL"),
        }
    }

    /// Runs one query whose columns are of these kinds.
    pub(crate) async fn fetch(
        &self,
        sql: Sql,
        parameters: &[Param<'_>],
        kinds: &[Kind],
    ) -> Result<Vec<Vec<Value>>, TargetError> {
        let mut held = self.session.lock().await;
        // A query that fails or is cancelled leaves no connection behind.
        let mut session = match held.take() {
            Some(session) => session,
            None => self.database.connect_to_read().await?,
        };
        session.begin_to_read().await?;
        let rows = session.fetch(&sql, parameters, kinds).await?;
        session.rollback().await?;
        *held = Some(session);
        Ok(rows)
    }
}
