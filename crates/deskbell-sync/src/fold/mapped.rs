//! Folding events for mapped tables and statements.

use deskbell_store::StoredEvent;

use super::evaluate::{EntityEvent, evaluate_deletion, evaluate_row};
use super::folding::Folding;
use super::object::Object;
use crate::batch::{DeadLetter, MappedChanges, StatementRun};
use crate::entity::{Change, Entity};
use crate::json::without_nul;
use crate::mapping::MappedTable;
use crate::version::Version;

impl Folding<'_> {
    /// The statements that are to be run for this event.
    pub(super) fn take_statements(
        &mut self,
        event: &StoredEvent,
        change: Option<(&'static Entity, Change)>,
    ) {
        let statements = self.mappings.statements();
        if statements.is_empty() {
            return;
        }
        let object = Object::read(event).ok();
        let id = object.as_ref().map(|object| object.id.as_str()).or(event.subject.as_deref());
        let id = without_nul(id.unwrap_or_default()).into_owned();
        let entity = change.map_or("", |(entity, _)| entity.name);
        let ends = change.is_some_and(|(_, change)| change == Change::Delete);
        let version = change.and(object.as_ref()).map(Object::version);
        let version = version.unwrap_or_else(|| {
            let message_id = without_nul(&event.message_id);
            Version::new(None, event.occurred_at_ms, &event.event_type, &message_id)
        });
        let (mut runs, mut dead_letters) = (Vec::new(), Vec::new());
        for (index, statement) in statements.iter().enumerate() {
            if !statement.is_on(&event.event_type) {
                continue;
            }
            match statement.evaluate(event, &id) {
                Ok(None) => {}
                Ok(Some(params)) => runs.push(StatementRun {
                    statement: index,
                    seq: event.seq,
                    source: std::sync::Arc::clone(&event.source),
                    event_type: without_nul(&event.event_type).into_owned(),
                    entity,
                    id: id.clone(),
                    version: version.clone(),
                    ends,
                    params,
                }),
                Err(reason) => {
                    dead_letters.push(dead_letter(
                        event,
                        entity,
                        &id,
                        &version,
                        &statement.name,
                        reason,
                    ));
                }
            }
        }
        // All statements of an event, or none of them.
        if dead_letters.is_empty() {
            self.statements.runs.extend(runs);
        }
        self.dead_letters.extend(dead_letters);
        if ends {
            self.statements.ends.push((event.seq, entity, id));
        }
    }

    /// The end of an entity, as its mapped tables see it.
    pub(super) fn delete_mapped(&mut self, entity: &'static Entity, object: &Object<'_>) {
        let mappings = self.mappings;
        let mut data = None;
        for (index, table) in mappings.tables().iter().enumerate() {
            if table.entity != entity {
                continue;
            }
            let data = data.get_or_insert_with(|| object.to_json());
            let entity_event = entity_event(entity, &object.id, data, object);
            match evaluate_deletion(table, &entity_event) {
                Ok(end) => {
                    let key = (index, end.id.clone());
                    let stamp = (end.occurred_at_ms, end.message_id.clone());
                    let known = self.ends.get(&key);
                    let known = known.map(|known| (known.occurred_at_ms, known.message_id.clone()));
                    if known.is_none_or(|known| stamp < known) {
                        self.ends.insert(key, end);
                    }
                }
                Err(error) => self.unmapped(table, object, &object.id, error.to_string()),
            }
        }
    }

    /// The batch's changes to each mapped table.
    pub(super) fn mapped(&mut self) -> Vec<MappedChanges> {
        let mappings = self.mappings;
        let mut changes: Vec<_> =
            mappings.tables().iter().map(|_| MappedChanges::default()).collect();
        for ((index, _), end) in std::mem::take(&mut self.ends) {
            changes[index].ends.push(end);
        }
        let newest = std::mem::take(&mut self.newest);
        for ((name, id), (version, object)) in &newest {
            let mut data = None;
            for (table, changes) in mappings.tables().iter().zip(&mut changes) {
                if table.entity.name != *name {
                    continue;
                }
                let data = data.get_or_insert_with(|| object.to_json());
                match evaluate_row(table, version, &entity_event(table.entity, id, data, object)) {
                    Ok(row) => changes.rows.push(row),
                    Err(error) => self.unmapped(table, object, id, error.to_string()),
                }
            }
        }
        self.newest = newest;
        for changes in &mut changes {
            changes.rows.sort_unstable_by(|left, right| left.id.cmp(&right.id));
        }
        changes
    }

    fn unmapped(&mut self, table: &MappedTable, object: &Object<'_>, id: &str, reason: String) {
        let version = object.version();
        let entity = table.entity.name;
        self.dead_letters.insert(dead_letter(
            object.event,
            entity,
            id,
            &version,
            &table.name,
            reason,
        ));
    }
}

fn entity_event<'a>(
    entity: &Entity,
    id: &'a str,
    data: &'a serde_json::Value,
    object: &'a Object<'_>,
) -> EntityEvent<'a> {
    EntityEvent { id, data, parents: object.parents(entity), event: object.event }
}

fn dead_letter(
    event: &StoredEvent,
    entity: &'static str,
    id: &str,
    version: &Version,
    part: &str,
    reason: String,
) -> DeadLetter {
    DeadLetter {
        source: without_nul(&event.source).into_owned(),
        message_id: version.message_id.clone(),
        event_type: without_nul(&event.event_type).into_owned(),
        part: part.to_owned(),
        entity,
        id: Some(id.to_owned()).filter(|id| !id.is_empty()),
        version: version.clone(),
        reason,
    }
}
