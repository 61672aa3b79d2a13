//! The fold: a batch of events down to the newest version of each entity. Pure; knows no SQL.

use std::borrow::Cow;
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use clerk_webhooks::{Envelope, NotAnEvent};
use deskbell_store::StoredEvent;

use crate::batch::{Batch, Counts, DeadLetter, Row, TableRows, Tombstone};
use crate::entity::{self, Change, Entity};
use crate::json::{Json, without_nul};
use crate::mapping::{Mapping, Mappings};
use crate::options::SourceRule;
use crate::version::Version;

/// A longer id is none of Clerk's, and not every database can have it as a key.
const ID_BYTES_MAX: usize = 255;

/// Folds batches of events for one destination.
#[derive(Debug)]
pub struct Fold {
    mappings: Arc<Mappings>,
    sources: BTreeMap<String, SourceRule>,
}

/// Why an event of a known type cannot be applied.
#[derive(Debug, thiserror::Error)]
enum Unusable {
    #[error("{0}")]
    NotAnEvent(#[from] NotAnEvent),
    #[error("`data` is not an object")]
    DataNotAnObject,
    #[error("`data` has no `id` that is a text")]
    NoId,
    #[error("the `id` is longer than {ID_BYTES_MAX} bytes")]
    IdTooLong,
}

impl Fold {
    /// A fold to these mappings, of events from these sources; from all where `sources` is empty.
    #[must_use]
    pub fn new(mappings: Arc<Mappings>, sources: BTreeMap<String, SourceRule>) -> Self {
        Self { mappings, sources }
    }

    /// What these events come down to.
    #[must_use]
    pub fn fold(&self, events: &[StoredEvent]) -> Batch {
        let mut folding = Folding::default();
        for event in events {
            self.take(event, &mut folding);
        }
        folding.finish(&self.mappings)
    }

    fn take<'a>(&self, event: &'a StoredEvent, folding: &mut Folding<'a>) {
        if !self.accepts(event) {
            folding.counts.other_instance += 1;
            return;
        }
        let change = entity::change(&event.event_type);
        // A delete counts whatever is mirrored: it takes the entity's children along.
        let Some((entity, change)) = change.filter(|(entity, change)| {
            *change == Change::Delete || self.mappings.of(entity).is_some()
        }) else {
            folding.counts.not_mirrored += 1;
            return;
        };
        match Object::read(event) {
            Err(reason) => folding.give_up(event, entity, &reason),
            Ok(object) if change == Change::Delete => folding.bury(event, entity, object),
            Ok(object) => folding.offer(event, entity, object),
        }
    }

    fn accepts(&self, event: &StoredEvent) -> bool {
        let Some(rule) = self.sources.get(&*event.source) else {
            return self.sources.is_empty();
        };
        match (rule.instance_id.as_deref(), event.instance_id.as_deref()) {
            (Some(ours), Some(theirs)) => theirs.is_empty() || theirs == ours,
            _ => true,
        }
    }
}

/// An event's `data`, split into its members.
struct Object<'a> {
    data: Json<'a>,
    members: Vec<(Cow<'a, str>, Json<'a>)>,
    id: String,
}

impl<'a> Object<'a> {
    fn read(event: &'a StoredEvent) -> Result<Self, Unusable> {
        let data = Envelope::parse(&event.payload)?.data.map(Json::from);
        let data = data.filter(|data| data.is_object()).ok_or(Unusable::DataNotAnObject)?;
        let members: Vec<_> = data.members().collect();
        let id = find(&members, "id").and_then(Json::text).filter(|id| !id.is_empty());
        let id = id.ok_or(Unusable::NoId)?.into_owned();
        if id.len() > ID_BYTES_MAX {
            return Err(Unusable::IdTooLong);
        }
        Ok(Self { data, members, id })
    }

    fn version(&self, entity: &Entity, event: &StoredEvent) -> Version {
        let updated_at = find(&self.members, entity.version).and_then(Json::time);
        Version::new(updated_at, event.occurred_at_ms, &without_nul(&event.message_id))
    }
}

/// The last one counts where a member is repeated, as in JavaScript.
fn find<'a>(members: &[(Cow<'a, str>, Json<'a>)], name: &str) -> Option<Json<'a>> {
    members.iter().rev().find(|(key, _)| key == name).map(|(_, value)| *value)
}

#[derive(Default)]
struct Folding<'a> {
    /// The newest version so far, by entity and id.
    newest: HashMap<(&'static str, String), (Version, Object<'a>)>,
    /// The earliest delete so far, by entity and id.
    deleted: BTreeMap<(&'static str, String), (i64, String)>,
    dead_letters: BTreeSet<DeadLetter>,
    counts: Counts,
}

impl<'a> Folding<'a> {
    fn offer(&mut self, event: &StoredEvent, entity: &'static Entity, mut object: Object<'a>) {
        self.counts.applied += 1;
        let version = object.version(entity, event);
        match self.newest.entry((entity.name, std::mem::take(&mut object.id))) {
            Entry::Vacant(entry) => {
                entry.insert((version, object));
            }
            Entry::Occupied(mut entry) if entry.get().0 < version => {
                entry.insert((version, object));
            }
            Entry::Occupied(_) => {}
        }
    }

    fn bury(&mut self, event: &StoredEvent, entity: &'static Entity, object: Object<'_>) {
        self.counts.applied += 1;
        let delete = (event.occurred_at_ms, without_nul(&event.message_id).into_owned());
        let earliest =
            self.deleted.entry((entity.name, object.id)).or_insert_with(|| delete.clone());
        if delete < *earliest {
            *earliest = delete;
        }
    }

    fn give_up(&mut self, event: &StoredEvent, entity: &'static Entity, reason: &Unusable) {
        self.counts.dead_lettered += 1;
        let message_id = without_nul(&event.message_id).into_owned();
        self.dead_letters.insert(DeadLetter {
            source: without_nul(&event.source).into_owned(),
            event_type: without_nul(&event.event_type).into_owned(),
            entity: entity.name,
            id: None,
            version: Version::new(None, event.occurred_at_ms, &message_id),
            message_id,
            reason: reason.to_string(),
        });
    }

    fn finish(mut self, mappings: &Mappings) -> Batch {
        let mut tables: Vec<TableRows> = Vec::new();
        self.newest.retain(|key, _| !self.deleted.contains_key(key));
        for mapping in mappings.iter() {
            let newest = self.newest.extract_if(|(entity, _), _| *entity == mapping.entity.name);
            let mut rows: Vec<_> = newest
                .map(|((_, id), (version, object))| row(mappings, mapping, id, version, &object))
                .collect();
            rows.sort_unstable_by(|left, right| left.id.cmp(&right.id));
            if !rows.is_empty() {
                tables.push(TableRows { entity: mapping.entity, rows });
            }
        }
        let tombstones = self.deleted.into_iter();
        let tombstones = tombstones.map(|((entity, id), (occurred_at_ms, message_id))| Tombstone {
            entity,
            id,
            occurred_at_ms,
            message_id,
        });
        Batch {
            tables,
            tombstones: tombstones.collect(),
            dead_letters: self.dead_letters.into_iter().collect(),
            counts: self.counts,
        }
    }
}

fn row(
    mappings: &Mappings,
    mapping: &Mapping,
    id: String,
    version: Version,
    object: &Object<'_>,
) -> Row {
    let values =
        mapping.columns.iter().map(|column| column.read(|name| find(&object.members, name)));
    let values = values.collect();
    Row { id, version, values, raw: mappings.redacted(mapping.entity, object.data) }
}
