//! Objects that were read from Clerk's Backend API: versions of entities beside those of events.

use std::sync::Arc;

use deskbell_store::{NewEvent, Origin, Seq, StoredEvent};
use serde::Deserialize;

use crate::entity::Entity;

/// An object as Clerk's API answered it.
///
/// Its version is `(updated_at, the time of the answer, 1, '')`: it replaces what an earlier event
/// said, and a later event replaces it.
#[derive(Clone, Copy)]
pub struct FetchedObject<'a> {
    pub entity: &'static Entity,
    /// Its JSON.
    pub json: &'a str,
    /// When Clerk answered, by its own clock, in milliseconds since the Unix epoch.
    pub answered_at_ms: i64,
}

/// Where objects were read.
#[derive(Debug, Clone)]
pub struct FetchedFrom {
    /// The source that they belong to.
    pub source: Arc<str>,
    /// Its Clerk instance.
    pub instance_id: String,
}

/// An object that is to be read, because an event is about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedObject {
    pub entity: &'static Entity,
    pub id: String,
    /// The event's source.
    pub source: Arc<str>,
    /// The instance that the event names; `None` if it names none.
    pub instance_id: Option<String>,
    /// The ids of what the entity ends with, in the order of its declared parents.
    pub parents: [Option<String>; 2],
}

#[derive(Deserialize)]
struct Status<'a> {
    #[serde(borrow)]
    status: Option<std::borrow::Cow<'a, str>>,
}

impl WantedObject {
    /// The id of this parent, such as the `user` of a membership.
    #[must_use]
    pub fn parent(&self, entity: &str) -> Option<&str> {
        let index = self.entity.parents.iter().position(|parent| parent.entity == entity)?;
        self.parents.get(index)?.as_deref()
    }
}

impl FetchedObject<'_> {
    /// The object as an event without a message: what expressions see.
    pub(crate) fn as_event(&self, from: &FetchedFrom) -> StoredEvent {
        let Self { json, answered_at_ms, .. } = self;
        let event_type = self.event_type();
        let payload = format!(
            r#"{{"data":{json},"object":"event","type":"{event_type}","timestamp":{answered_at_ms}}}"#
        );
        let event = NewEvent {
            source: Arc::clone(&from.source),
            message_id: String::new(),
            event_type: event_type.to_owned(),
            subject: None,
            occurred_at_ms: self.answered_at_ms,
            instance_id: Some(from.instance_id.clone()),
            payload: payload.into(),
            origin: Origin::Backfill,
        };
        StoredEvent { seq: Seq::ZERO, received_at_ms: self.answered_at_ms, event }
    }

    /// The type of the event that Clerk would send: an update, or what has led to its status.
    fn event_type(&self) -> &'static str {
        let types = self.entity.upserted_by;
        let by_suffix = |suffix: &str| {
            types.iter().find(|name| name.rsplit_once('.').is_some_and(|(_, last)| last == suffix))
        };
        let status = || serde_json::from_str::<Status<'_>>(self.json).ok()?.status;
        let found = by_suffix("updated").or_else(|| by_suffix(&status()?));
        found.or(types.first()).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entity;

    #[test]
    fn an_object_has_the_type_of_an_update_or_of_its_status() {
        for (entity, json, expected) in [
            ("user", "{}", "user.updated"),
            (
                "organization_invitation",
                r#"{"status":"accepted"}"#,
                "organizationInvitation.accepted",
            ),
            (
                "organization_invitation",
                r#"{"status":"pending"}"#,
                "organizationInvitation.created",
            ),
            ("invitation", r#"{"status":7}"#, "invitation.created"),
            ("subscription", r#"{"status":"active"}"#, "subscription.updated"),
        ] {
            let entity = entity::find(entity).unwrap();
            let object = FetchedObject { entity, json, answered_at_ms: 0 };
            assert_eq!(object.event_type(), expected, "{json}");
        }
    }
}
