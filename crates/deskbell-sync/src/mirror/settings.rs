//! The settings of a mirror.

use std::sync::Arc;
use std::time::Duration;

use super::existing_columns::ExistingColumns;
use crate::db::{DbSession, Dialect};
use crate::mapping::Mappings;
use crate::mirror_target::{ConnectError, check_schema_name};
use crate::options::MirrorOptions;

#[derive(Debug)]
pub(crate) struct MirrorSettings {
    pub(super) options: MirrorOptions,
    pub(crate) schema: String,
    pub(crate) destination: String,
    pub(crate) mappings: Arc<Mappings>,
    pub(crate) auto_migrate: bool,
    pub(crate) conflict_patience: Duration,
    pub(crate) answer_within: Duration,
}

impl MirrorSettings {
    pub(crate) fn of(options: &MirrorOptions) -> Result<Self, ConnectError> {
        let database = &options.database;
        check_schema_name(&database.schema)?;
        Ok(Self {
            options: options.clone(),
            schema: database.schema.clone(),
            destination: options.destination.clone(),
            mappings: Arc::new(Mappings::for_config(database)?),
            auto_migrate: database.auto_migrate,
            conflict_patience: database.conflict_patience.0,
            answer_within: options.answer_within,
        })
    }

    /// These, with the columns that the mirror has although they are left out by default.
    pub(super) async fn with_kept_columns(
        self,
        dialect: Dialect,
        session: &mut dyn DbSession,
    ) -> Result<Self, ConnectError> {
        let existing = ExistingColumns { dialect, schema: &self.schema, mappings: &self.mappings };
        let kept = existing.kept_columns(session).await?;
        if kept.is_empty() {
            return Ok(self);
        }
        tracing::warn!(
            destination = self.options.destination,
            columns = kept.join(", "),
            "the mirror keeps columns that are excluded by default; add them to `include_columns` \
             to keep them, or to `exclude_columns` to clear them"
        );
        let mut options = self.options;
        options.database.include_columns.extend(kept);
        Self::of(&options)
    }
}
