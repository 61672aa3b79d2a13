//! Explaining a row of a mirror: which event each of its values came from.

use std::sync::Arc;

use deskbell_store::{SourceInstances, StoreError, StoredEvent};
use serde_json::Value as Json;

use crate::batch::Row;
use crate::entity::{self, Entity};
use crate::fetched::{FetchedFrom, FetchedObject};
use crate::fold::Fold;
use crate::mapping::{Mapping, Mappings};
use crate::mirror_target::{ConnectError, TargetError};
use crate::options::MirrorOptions;
use crate::row_reader::{RowReader, StoredRow};

/// Explains rows of one mirror. It changes nothing.
#[derive(Debug)]
pub struct Explainer {
    rows: RowReader,
    mappings: Arc<Mappings>,
    fold: Fold,
}

/// A row, and which event each of its values came from.
#[derive(Debug, Clone, PartialEq)]
pub struct ExplainedRow {
    /// The table's name in the database.
    pub table: String,
    /// In the order of the table's columns.
    pub columns: Vec<ExplainedColumn>,
}

/// A value, and which event it came from.
#[derive(Debug, Clone, PartialEq)]
pub struct ExplainedColumn {
    pub name: &'static str,
    pub value: Json,
    pub origin: ValueOrigin,
}

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ValueOrigin {
    /// The event with this message id.
    Event(String),
    /// An object that was read from Clerk's API.
    Api,
    /// An event that is not among those that are known.
    Unknown,
}

impl Explainer {
    /// The mirror of these options. Nothing is touched before a row is read.
    ///
    /// # Errors
    /// The options make no sense.
    pub fn new(options: &MirrorOptions) -> Result<Self, ConnectError> {
        let mappings = Arc::new(Mappings::for_config(&options.database)?);
        let fold = Fold::new(Arc::clone(&mappings), options.sources.clone());
        Ok(Self { rows: RowReader::new(options)?, mappings, fold })
    }

    /// Reads what the store knows of the sources' Clerk instances: events of others wrote nothing.
    ///
    /// # Errors
    /// The store could not be read.
    pub async fn load_instances(&self, store: &dyn SourceInstances) -> Result<(), StoreError> {
        self.fold.instances().load(store).await
    }

    /// The rows of the entities with this id. `events` are those about it, the newest first.
    ///
    /// # Errors
    /// The database failed.
    pub async fn rows(
        &self,
        id: &str,
        events: &[StoredEvent],
    ) -> Result<Vec<ExplainedRow>, TargetError> {
        let mut explained = Vec::new();
        for entity in entity::ALL {
            let Some(mapping) = self.mappings.of(entity) else { continue };
            if let Some(stored) = self.rows.stored(entity, id).await? {
                explained.push(self.explain(mapping, id, stored, events));
            }
        }
        Ok(explained)
    }

    fn explain(
        &self,
        mapping: &Mapping,
        id: &str,
        stored: StoredRow,
        events: &[StoredEvent],
    ) -> ExplainedRow {
        let StoredRow { table, columns, message_id, raw } = stored;
        let is_of_api = message_id.is_empty();
        // An event writes every column. An object of the API leaves those that it says nothing of.
        let left =
            if is_of_api { self.left_by_api(mapping.entity, raw.as_deref()) } else { Vec::new() };
        let names = mapping.columns.iter().map(|column| column.name);
        let columns = names.zip(columns).enumerate().map(|(position, (name, value))| {
            let origin = if !is_of_api {
                ValueOrigin::Event(message_id.clone())
            } else if left.contains(&position) && !value.is_null() {
                let found = self.event_with(mapping, id, position, &value, events);
                found.map_or(ValueOrigin::Unknown, ValueOrigin::Event)
            } else {
                ValueOrigin::Api
            };
            ExplainedColumn { name, value, origin }
        });
        ExplainedRow { table, columns: columns.collect() }
    }

    /// The positions of the columns of which the object says nothing.
    fn left_by_api(&self, entity: &'static Entity, raw: Option<&str>) -> Vec<usize> {
        let Some(json) = raw else { return Vec::new() };
        let from = FetchedFrom { source: "".into(), instance_id: String::new() };
        let object = FetchedObject { entity, json, answered_at_ms: 0 };
        let batch = self.fold.fold_fetched(&from, &[object]);
        let mut tables = batch.tables.into_iter().filter(|table| table.entity == entity);
        let row = tables.next().and_then(|table| table.rows.into_iter().next());
        row.map_or_else(Vec::new, |row| row.absent)
    }

    /// The newest event that has this value in this column.
    fn event_with(
        &self,
        mapping: &Mapping,
        id: &str,
        position: usize,
        value: &Json,
        events: &[StoredEvent],
    ) -> Option<String> {
        let has_it = |row: &Row| {
            row.id == id
                && row.values.get(position).is_some_and(|one| one.clone().into_json() == *value)
        };
        let found = events.iter().find(|event| {
            let batch = self.fold.fold(std::slice::from_ref(*event));
            let tables = batch.tables.iter().filter(|table| table.entity == mapping.entity);
            tables.flat_map(|table| &table.rows).any(has_it)
        });
        found.map(|event| event.message_id.clone())
    }
}
