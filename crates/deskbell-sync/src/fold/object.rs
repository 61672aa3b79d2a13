//! An entity's JSON in a payload, whole or within another entity's.

use std::borrow::Cow;

use clerk_webhooks::{Envelope, NotAnEvent};
use deskbell_store::StoredEvent;

use crate::entity::{Embedded, Entity};
use crate::json::{Json, without_nul};
use crate::version::Version;

/// A longer id is none of Clerk's, and not every database can have it as a key.
pub(super) const ID_BYTES_MAX: usize = 255;

/// Few objects have more; where one does, the list of its members grows.
const MEMBERS_USUALLY: usize = 48;

/// Why an event of a known type cannot be applied.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unusable {
    #[error("{0}")]
    NotAnEvent(#[from] NotAnEvent),
    #[error("`data` is not an object")]
    DataNotAnObject,
    #[error("expected a string `id` in `data`")]
    NoId,
    #[error("the `id` is longer than {ID_BYTES_MAX} bytes")]
    IdTooLong,
}

/// An entity's JSON, split into its members, and its event.
pub(super) struct Object<'a> {
    pub(super) event: &'a StoredEvent,
    pub(super) json: Json<'a>,
    members: Members<'a>,
    /// How many of the members are its own; the others are inherited.
    own: usize,
    pub(super) id: String,
}

/// The members of a JSON object, found once and looked up often.
pub(super) struct Members<'a>(Vec<(Cow<'a, str>, Json<'a>)>);

impl<'a> Object<'a> {
    /// The event's `data`.
    pub(super) fn read(event: &'a StoredEvent) -> Result<Self, Unusable> {
        let data = Envelope::parse(&event.payload)?.data.map(Json::from);
        let data = data.filter(|data| data.is_object()).ok_or(Unusable::DataNotAnObject)?;
        Self::new(event, data)
    }

    fn new(event: &'a StoredEvent, json: Json<'a>) -> Result<Self, Unusable> {
        let members = Members::of(json);
        let id = members.get("id").and_then(Json::text).filter(|id| !id.is_empty());
        let id = id.ok_or(Unusable::NoId)?.into_owned();
        if id.len() > ID_BYTES_MAX {
            return Err(Unusable::IdTooLong);
        }
        Ok(Self { event, json, own: members.0.len(), members, id })
    }

    /// The elements of this list that have an id, each with what it inherits.
    pub(super) fn embedded(&self, embedded: &'static Embedded) -> impl Iterator<Item = Self> {
        let list = self.member(embedded.list).into_iter().flat_map(Json::elements);
        list.filter_map(|element| {
            let mut element = Self::new(self.event, element).ok()?;
            for (own, inherited_name) in embedded.inherits {
                element.inherit(own, self.member(inherited_name));
            }
            Some(element)
        })
    }

    fn inherit(&mut self, name: &'static str, inherited: Option<Json<'a>>) {
        let has_own = |own: Json<'_>| !own.is_null() && !own.is_empty_text();
        if let Some(inherited) = inherited
            && !self.member(name).is_some_and(has_own)
        {
            self.members.0.push((Cow::Borrowed(name), inherited));
        }
    }

    /// Whether it was read from the API: no message has it.
    pub(super) fn is_fetched(&self) -> bool {
        self.event.message_id.is_empty()
    }

    pub(super) fn member(&self, name: &str) -> Option<Json<'a>> {
        self.members.get(name)
    }

    /// The ids of what the entity ends with, in the order of its declared parents.
    pub(super) fn parents(&self, entity: &Entity) -> [Option<String>; 2] {
        let mut parents = entity
            .parents
            .iter()
            .map(|parent| entity.column(parent.column)?.read(|name| self.member(name)).into_text());
        [parents.next().flatten(), parents.next().flatten()]
    }

    /// The JSON as a tree, with what was inherited.
    pub(super) fn to_json(&self) -> serde_json::Value {
        let mut tree = self.json.to_tree();
        for (name, json) in &self.members.0[self.own..] {
            tree[&**name] = json.to_tree();
        }
        tree
    }

    pub(super) fn version(&self) -> Version {
        let updated_at = self.member(Entity::VERSION).and_then(Json::time);
        let event = self.event;
        let message_id = without_nul(&event.message_id);
        Version::new(updated_at, event.occurred_at_ms, &event.event_type, &message_id)
    }
}

impl<'a> Members<'a> {
    pub(super) fn of(object: Json<'a>) -> Self {
        let mut members = Vec::with_capacity(MEMBERS_USUALLY);
        members.extend(object.members());
        Self(members)
    }

    /// The last one counts where a member is repeated, as in JavaScript.
    pub(super) fn get(&self, name: &str) -> Option<Json<'a>> {
        self.0.iter().rev().find(|(key, _)| key == name).map(|(_, value)| *value)
    }
}
