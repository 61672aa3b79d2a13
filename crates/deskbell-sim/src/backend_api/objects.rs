//! The objects of one list: by id, and in the orders in which the list can be read.

use std::collections::{BTreeSet, HashMap};
use std::ops::Bound;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;

use crate::truth::Version;

/// One object as the API shows it.
#[derive(Debug)]
pub(crate) struct Object {
    pub(crate) id: String,
    pub(crate) json: Bytes,
    pub(crate) created_at: i64,
    pub(crate) updated_at: i64,
    pub(crate) slug: Option<String>,
    pub(crate) status: Option<String>,
    pub(crate) is_free: bool,
    /// Whom it belongs to, where it is read through another object.
    parent: Option<String>,
    version: Option<Version>,
}

/// The objects of one list.
#[derive(Debug, Default)]
pub(crate) struct Objects {
    by_id: HashMap<String, Object>,
    by_creation: BTreeSet<Key>,
    by_parent: HashMap<String, BTreeSet<Key>>,
}

/// Objects of the same millisecond are ordered by id.
type Key = (i64, String);

/// What a list is ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Field {
    CreatedAt,
    UpdatedAt,
}

/// Where a page begins.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Start<'a> {
    Offset(usize),
    /// Behind this object, in the order of creation.
    After(&'a Object, &'a str),
}

/// Which objects to show.
pub(crate) struct Selection<'a> {
    pub(crate) parent: Option<&'a str>,
    pub(crate) field: Field,
    pub(crate) is_descending: bool,
    pub(crate) start: Start<'a>,
    pub(crate) limit: usize,
    /// `None` for all.
    pub(crate) filter: Option<&'a dyn Fn(&Object) -> bool>,
}

#[derive(Deserialize)]
struct Members {
    id: String,
    created_at: Option<i64>,
    updated_at: Option<i64>,
    /// Statements have this time alone.
    timestamp: Option<i64>,
    slug: Option<String>,
    status: Option<String>,
    plan: Option<Value>,
}

impl Objects {
    pub(crate) fn get(&self, id: &str) -> Option<&Object> {
        self.by_id.get(id)
    }

    pub(crate) fn by_slug(&self, slug: &str) -> Option<&Object> {
        self.by_id.values().find(|object| object.slug.as_deref() == Some(slug))
    }

    /// The only object of this parent, or its first.
    pub(crate) fn of_parent(&self, parent: &str) -> Option<&Object> {
        self.by_id.get(&self.by_parent.get(parent)?.first()?.1)
    }

    /// Puts an object in, in place of the one with its id; the one that is there stays if its version is the greater.
    pub(crate) fn insert(
        &mut self,
        json: Bytes,
        parent: Option<&str>,
        version: Option<Version>,
    ) -> Result<(), serde_json::Error> {
        let members: Members = serde_json::from_slice(&json)?;
        let known = self.by_id.get(&members.id).and_then(|known| known.version.as_ref());
        if let (Some(known), Some(version)) = (known, &version)
            && known > version
        {
            return Ok(());
        }
        self.remove(&members.id);
        let created_at = members.created_at.or(members.timestamp).unwrap_or_default();
        let key = (created_at, members.id.clone());
        if let Some(parent) = parent {
            self.by_parent.entry(parent.to_owned()).or_default().insert(key.clone());
        }
        self.by_creation.insert(key);
        let plan_amount = members.plan.as_ref().map(|plan| &plan["fee"]["amount"]);
        let object = Object {
            id: members.id.clone(),
            json,
            created_at,
            updated_at: members.updated_at.unwrap_or(created_at),
            slug: members.slug,
            status: members.status,
            is_free: plan_amount.is_some_and(|amount| *amount == 0),
            parent: parent.map(str::to_owned),
            version,
        };
        self.by_id.insert(members.id, object);
        Ok(())
    }

    pub(crate) fn remove(&mut self, id: &str) -> bool {
        let Some(object) = self.by_id.remove(id) else { return false };
        let key = (object.created_at, id.to_owned());
        self.by_creation.remove(&key);
        if let Some(siblings) = object.parent.and_then(|parent| self.by_parent.get_mut(&parent)) {
            siblings.remove(&key);
        }
        true
    }

    /// The ids, in the order of creation.
    pub(crate) fn ids(&self) -> impl Iterator<Item = &str> {
        self.by_creation.iter().map(|(_, id)| id.as_str())
    }

    pub(crate) fn count(&self, selection: &Selection<'_>) -> usize {
        let Some(keys) = self.keys(selection.parent) else { return 0 };
        match selection.filter {
            None => keys.len(),
            Some(filter) => keys.iter().filter(|key| filter(&self.by_id[&key.1])).count(),
        }
    }

    pub(crate) fn select(&self, selection: &Selection<'_>) -> Vec<&Object> {
        let Some(keys) = self.keys(selection.parent) else { return Vec::new() };
        let mut by_update = Vec::new();
        let (ordered, skipped): (Box<dyn Iterator<Item = &Key>>, usize) =
            match (selection.field, selection.start) {
                (Field::UpdatedAt, _) => {
                    let key = |key: &Key| (self.by_id[&key.1].updated_at, key.1.clone());
                    by_update.extend(keys.iter().map(key));
                    by_update.sort_unstable();
                    (directed(by_update.iter(), selection.is_descending), selection.offset())
                }
                (Field::CreatedAt, Start::Offset(offset)) => {
                    (directed(keys.iter(), selection.is_descending), offset)
                }
                (Field::CreatedAt, Start::After(object, id)) => {
                    let key = Bound::Excluded((object.created_at, id.to_owned()));
                    let range = if selection.is_descending {
                        (Bound::Unbounded, key)
                    } else {
                        (key, Bound::Unbounded)
                    };
                    (directed(keys.range(range), selection.is_descending), 0)
                }
            };
        ordered
            .map(|key| &self.by_id[&key.1])
            .filter(|object| selection.filter.is_none_or(|filter| filter(object)))
            .skip(skipped)
            .take(selection.limit)
            .collect()
    }

    fn keys(&self, parent: Option<&str>) -> Option<&BTreeSet<Key>> {
        parent.map_or(Some(&self.by_creation), |parent| self.by_parent.get(parent))
    }
}

impl Selection<'_> {
    fn offset(&self) -> usize {
        match self.start {
            Start::Offset(offset) => offset,
            Start::After(..) => 0,
        }
    }
}

fn directed<'a, T: 'a>(
    items: impl DoubleEndedIterator<Item = T> + 'a,
    is_descending: bool,
) -> Box<dyn Iterator<Item = T> + 'a> {
    if is_descending { Box::new(items.rev()) } else { Box::new(items) }
}
