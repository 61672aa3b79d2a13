//! A fold on its way: the newest version and the earliest delete of each entity so far.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use deskbell_store::StoredEvent;

use super::object::{Object, Unusable};
use super::rows;
use crate::batch::{
    Batch, Counts, DeadLetter, EventRef, MappedDeletion, StatementRuns, TableRows, Tombstone,
};
use crate::entity::Entity;
use crate::json::without_nul;
use crate::mapping::Mappings;
use crate::version::Version;

pub(super) struct Folding<'a> {
    pub(super) mappings: &'a Mappings,
    /// The newest version so far, by entity and id.
    pub(super) newest: HashMap<(&'static str, String), (Version, Object<'a>)>,
    /// The earliest delete so far, by entity and id.
    deleted: BTreeMap<(&'static str, String), (i64, String, EventRef)>,
    pub(super) dead_letters: BTreeSet<DeadLetter>,
    /// By mapped table and entity, the earliest delete so far.
    pub(super) ends: BTreeMap<(usize, String), MappedDeletion>,
    pub(super) statements: StatementRuns,
    pub(super) counts: Counts,
}

impl<'a> Folding<'a> {
    pub(super) fn new(mappings: &'a Mappings) -> Self {
        Self {
            mappings,
            newest: HashMap::new(),
            deleted: BTreeMap::new(),
            dead_letters: BTreeSet::new(),
            ends: BTreeMap::new(),
            statements: StatementRuns::default(),
            counts: Counts::default(),
        }
    }

    /// A version of an entity that is mirrored. Of two in one event the later one counts.
    pub(super) fn offer(&mut self, entity: &'static Entity, mut object: Object<'a>) {
        let version = object.version();
        match self.newest.entry((entity.name, std::mem::take(&mut object.id))) {
            Entry::Vacant(entry) => {
                entry.insert((version, object));
            }
            Entry::Occupied(mut entry) if entry.get().0 <= version => {
                entry.insert((version, object));
            }
            Entry::Occupied(_) => {}
        }
    }

    /// The end of an entity, mirrored or not.
    pub(super) fn delete(&mut self, entity: &'static Entity, object: Object<'_>) {
        self.delete_mapped(entity, &object);
        self.delete_by_id(entity, object.event, object.id);
    }

    /// As [`delete`](Self::delete), where nothing but the id is known: mapped tables cannot tell which
    /// row it was, and have known it since.
    pub(super) fn delete_by_id(
        &mut self,
        entity: &'static Entity,
        event: &StoredEvent,
        id: String,
    ) {
        self.counts.applied += 1;
        let named = EventRef {
            source: Arc::clone(&event.source),
            event_type: without_nul(&event.event_type).into(),
        };
        let delete = (event.occurred_at_ms, without_nul(&event.message_id).into_owned(), named);
        let earliest = self.deleted.entry((entity.name, id)).or_insert_with(|| delete.clone());
        if delete < *earliest {
            *earliest = delete;
        }
    }

    /// Whether the entity is gone.
    pub(super) fn deletes(&self, entity: &Entity, id: &str) -> bool {
        self.deleted.contains_key(&(entity.name, id.to_owned()))
    }

    /// An event that cannot be applied.
    pub(super) fn give_up(
        &mut self,
        event: &StoredEvent,
        entity: &'static Entity,
        reason: &Unusable,
    ) {
        self.counts.dead_lettered += 1;
        let message_id = without_nul(&event.message_id).into_owned();
        self.dead_letters.insert(DeadLetter {
            source: without_nul(&event.source).into_owned(),
            event_type: without_nul(&event.event_type).into_owned(),
            entity: entity.name,
            part: String::new(),
            id: None,
            version: Version::new(None, event.occurred_at_ms, &event.event_type, &message_id),
            message_id,
            reason: reason.to_string(),
        });
    }

    pub(super) fn finish(mut self) -> Batch {
        let mapped = self.mapped();
        let tables = self.tables(self.mappings);
        let tombstones = self.deleted.into_iter();
        let tombstones = tombstones.map(|((entity, id), (occurred_at_ms, message_id, event))| {
            Tombstone { entity, id, occurred_at_ms, message_id, event }
        });
        Batch {
            tables,
            tombstones: tombstones.collect(),
            dead_letters: self.dead_letters.into_iter().collect(),
            mapped,
            statements: self.statements,
            counts: self.counts,
        }
    }

    fn tables(&mut self, mappings: &Mappings) -> Vec<TableRows> {
        let mut tables = Vec::new();
        for mapping in mappings.iter() {
            let newest = self.newest.extract_if(|(entity, _), _| *entity == mapping.entity.name);
            let mut rows: Vec<_> = newest
                .map(|((_, id), (version, object))| {
                    rows::row(mappings, mapping, id, version, &object)
                })
                .collect();
            rows.sort_unstable_by(|left, right| left.id.cmp(&right.id));
            if !rows.is_empty() {
                tables.push(TableRows { entity: mapping.entity, rows });
            }
        }
        tables
    }
}
