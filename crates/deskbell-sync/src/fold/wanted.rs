//! What a batch's events only say of: the objects to read.

use super::folding::Folding;
use super::instances::is_example_instance;
use crate::entity::{self, Entity};
use crate::fetched::WantedObject;

impl Folding<'_> {
    /// The entities of which the batch has a state and no delete, each once, those of one source together.
    /// What is made up is in no instance; what came within another entity's JSON is read with that one.
    pub(super) fn wanted(&self, is_wanted: impl Fn(&Entity) -> bool) -> Vec<WantedObject> {
        let mut wanted = Vec::new();
        for ((name, id), (_, object)) in &self.newest {
            let event = object.event;
            let Some((entity, _)) = entity::change(&event.event_type) else { continue };
            let instance_id = event.instance_id.clone().filter(|named| !named.is_empty());
            let is_made_up = instance_id.as_deref().is_some_and(is_example_instance);
            if entity.name == *name && !is_made_up && !self.deletes(entity, id) && is_wanted(entity)
            {
                wanted.push(WantedObject {
                    entity,
                    id: id.clone(),
                    source: event.source.clone(),
                    instance_id,
                    parents: object.parents(entity),
                });
            }
        }
        let order = |one: &WantedObject| (one.source.clone(), one.entity.name, one.id.clone());
        wanted.sort_by_cached_key(order);
        wanted
    }
}
