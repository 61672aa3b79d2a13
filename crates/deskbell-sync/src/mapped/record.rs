//! The record of one entity in one mapped table: a row of `_versions`.

use clerk_webhooks::UnixMillis;

use crate::batch::{MappedDeletion, MappedRow};
use crate::entity::Entity;
use crate::version::Version;

/// A row of `_versions`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) id: String,
    /// The newest version; `None` where only a delete is known.
    pub(super) version: Option<Version>,
    pub(super) created_at_ms: i64,
    pub(super) parents: [Option<String>; 2],
    /// The key that the entity maps to, as the database has it: equal keys are equal texts.
    pub(super) key: Option<String>,
    /// The key as the expressions gave it. `None`: nobody has asked the database yet, or there is no
    /// need to.
    pub(super) given_key: Option<String>,
    pub(super) values: String,
    /// The earliest delete: when, and its message id.
    pub(super) end: Option<(i64, String)>,
    /// The key of the row in the application's table that was written for this entity.
    pub(super) shown: Option<String>,
    /// Whether that row was set as deleted.
    pub(super) flagged: bool,
    /// Since when the database has refused what should be there.
    pub(super) waiting_since: Option<UnixMillis>,
    /// Whether that was given up, until a later version.
    pub(super) given_up: bool,
    /// When it is tried again; `None` where it does not wait.
    pub(super) retry_at: Option<UnixMillis>,
    pub(super) tries: i64,
    /// The last refusal, and its constraint.
    pub(super) reason: Option<String>,
    pub(super) constraint: Option<String>,
    /// The key of the row in its way, or the foreign key's value that is not there yet.
    pub(super) waits_for: Option<String>,
    pub(super) source: String,
    pub(super) event_type: String,
    /// Of an object that was read because of an event, the event's message id.
    pub(super) caused_by: Option<String>,
    pub(super) revision: i64,
}

impl Record {
    pub(super) fn new(id: &str) -> Self {
        Self { id: id.to_owned(), created_at_ms: i64::MIN, ..Self::default() }
    }

    /// Takes a version in; whether it changed anything.
    pub(super) fn offer(&mut self, row: &MappedRow, revision: i64) -> bool {
        let remade = self.revision != revision;
        let known = self.version.as_ref();
        let newer = known.is_none_or(|known| row.version.replaces(known, remade));
        if newer {
            self.version = Some(row.version.clone());
            self.created_at_ms = row.created_at_ms;
            self.parents.clone_from(&row.parents);
            self.key.clone_from(&row.key);
            self.given_key = None;
            self.values.clone_from(&row.values);
            self.source = row.event.source.to_string();
            self.event_type = row.event.event_type.to_string();
            self.caused_by.clone_from(&row.caused_by);
            self.revision = revision;
            self.settle();
        }
        newer
    }

    /// Takes a delete in; whether it changed anything. What it says of the key counts only while
    /// no version is known, and of several deletes the earliest one.
    pub(super) fn end(&mut self, end: &MappedDeletion) -> bool {
        let stamp = (end.occurred_at_ms, end.message_id.clone());
        let earlier = self.end.as_ref().is_none_or(|known| stamp < *known);
        if earlier {
            self.end = Some(stamp);
            if self.version.is_none() {
                self.key.clone_from(&end.key);
                self.given_key = None;
                self.created_at_ms = end.created_at_ms;
            }
        }
        earlier
    }

    /// The message that a dead letter of this version names.
    pub(super) fn message_of(&self, version: &Version) -> String {
        // A release that does not know the column leaves it as it was.
        let caused_by = self.caused_by.clone().filter(|_| version.message_id.is_empty());
        caused_by.unwrap_or_else(|| version.message_id.clone())
    }

    /// Which of two entities that map to one key owns it: the one that was created later.
    pub(super) fn seniority(&self) -> (i64, &str) {
        (self.created_at_ms, &self.id)
    }

    /// The entities whose deletes end this one, itself first.
    pub(super) fn ends_with<'a>(
        &'a self,
        entity: &'static Entity,
    ) -> impl Iterator<Item = (&'static str, &'a str)> {
        let parents = entity.parents.iter().zip(&self.parents);
        let parents = parents.filter_map(|(parent, id)| Some((parent.entity, id.as_deref()?)));
        [(entity.name, self.id.as_str())].into_iter().chain(parents)
    }
}
