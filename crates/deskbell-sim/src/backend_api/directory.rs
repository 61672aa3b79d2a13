//! The state of the simulated instance, which tests may change while it is read.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use serde_json::{Value, json};

use super::objects::{Object, Objects};
use crate::truth::{Effect, PAYMENT_ATTEMPTS, PERMISSIONS, ROLES, SUBSCRIPTIONS};

/// The objects of every list.
#[derive(Debug, Default)]
pub struct Directory {
    lists: BTreeMap<&'static str, Objects>,
    empty: Objects,
    /// The time of the last message that was applied.
    now_ms: Option<i64>,
}

/// A directory that the API and others share.
#[derive(Debug, Clone, Default)]
pub struct SharedDirectory(Arc<Mutex<Directory>>);

impl SharedDirectory {
    /// The directory, for as long as the guard lives: the API waits meanwhile.
    pub fn lock(&self) -> MutexGuard<'_, Directory> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Directory {
    /// Puts an object into a list, in place of the one with its id. The names of the lists are in [`LISTS`](super::LISTS).
    ///
    /// # Panics
    /// If the object has no `id`.
    pub fn insert(&mut self, list: &'static str, object: &Value) {
        self.put(list, object, None);
    }

    /// As [`insert`](Self::insert), where the list is read through another object: a statement's payment attempts,
    /// the subscription of a user or an organization.
    ///
    /// # Panics
    /// If the object has no `id`.
    pub fn insert_of(&mut self, list: &'static str, parent_id: &str, object: &Value) {
        self.put(list, object, Some(parent_id));
    }

    /// Deletes an object; whether it was there.
    pub fn remove(&mut self, list: &str, id: &str) -> bool {
        self.lists.get_mut(list).is_some_and(|objects| objects.remove(id))
    }

    /// The ids of a list, in the order of creation.
    #[must_use]
    pub fn ids(&self, list: &str) -> Vec<String> {
        self.objects(list).ids().map(str::to_owned).collect()
    }

    /// The JSON of one object.
    #[must_use]
    pub fn json(&self, list: &str, id: &str) -> Option<Bytes> {
        self.object(list, id).map(|object| object.json.clone())
    }

    /// From now on it is this time, in Unix milliseconds: answers say so.
    pub fn set_now(&mut self, now_ms: i64) {
        self.now_ms = Some(now_ms);
    }

    /// What time it is in the world that the directory is of; `None` where it is of none.
    pub(crate) fn now_ms(&self) -> Option<i64> {
        self.now_ms
    }

    pub(crate) fn objects(&self, list: &str) -> &Objects {
        self.lists.get(list).unwrap_or(&self.empty)
    }

    pub(crate) fn object(&self, list: &str, id: &str) -> Option<&Object> {
        self.objects(list).get(id)
    }

    /// What a message of the world means, with the object as the message has it.
    pub(crate) fn apply(&mut self, effect: &Effect, data: &[u8]) {
        match effect {
            Effect::Nothing => {}
            // What is inside the object has messages of its own.
            Effect::Several(effects) => {
                if let Some(effect) = effects.first() {
                    self.apply(effect, data);
                }
            }
            Effect::Upsert { table, version, .. } => {
                self.now_ms = self.now_ms.max(Some(version.occurred_at));
                let parent = self.parent_of(table, data);
                let data = Bytes::copy_from_slice(data);
                let objects = self.lists.entry(list_of(table)).or_default();
                let inserted = objects.insert(data, parent.as_deref(), Some(version.clone()));
                debug_assert!(inserted.is_ok(), "the world's objects have ids");
            }
            Effect::Delete { table, id, dependants } => {
                self.remove(list_of(table), id);
                for (table, id) in dependants {
                    self.remove(list_of(table), id);
                }
            }
        }
    }

    /// The id by which an object is read that has no list of the instance: a subscription by its payer, a payment
    /// attempt by its statement, which comes to be with it.
    fn parent_of(&mut self, table: &str, data: &[u8]) -> Option<String> {
        let read = || serde_json::from_slice::<Value>(data).unwrap_or_default();
        match table {
            SUBSCRIPTIONS => {
                let payer = &read()["payer"];
                let ids = [&payer["user_id"], &payer["organization_id"]].map(Value::as_str);
                ids.into_iter().flatten().find(|id| !id.is_empty()).map(str::to_owned)
            }
            PAYMENT_ATTEMPTS => {
                let data = read();
                let id = data["statement_id"].as_str()?;
                let statement = json!({
                    "id": id,
                    "object": "commerce_statement",
                    "status": "open",
                    "timestamp": data["created_at"],
                });
                self.insert("statements", &statement);
                Some(id.to_owned())
            }
            _ => None,
        }
    }

    fn put(&mut self, list: &'static str, object: &Value, parent: Option<&str>) {
        let objects = self.lists.entry(list).or_default();
        objects.insert(object.to_string().into(), parent, None).expect("an object with an id");
    }
}

/// The list that has the objects of a mirror's table.
fn list_of(table: &'static str) -> &'static str {
    match table {
        ROLES => "organization_roles",
        PERMISSIONS => "organization_permissions",
        table => table,
    }
}
