//! The entities that are alive: drawn at random, found by id, removed in constant time.

use std::collections::HashMap;

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::membership::Membership;
use super::organization::Organization;
use super::user::User;

pub(crate) trait HasId {
    fn id(&self) -> &str;
}

/// Entities in an order that depends on the insertions and removals alone, so that a random draw is reproducible.
#[derive(Debug)]
pub(crate) struct Pool<T> {
    items: Vec<T>,
    indexes: HashMap<String, usize>,
}

impl<T: HasId> Pool<T> {
    pub(crate) fn new() -> Self {
        Self { items: Vec::new(), indexes: HashMap::new() }
    }

    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    pub(crate) fn insert(&mut self, item: T) {
        self.indexes.insert(item.id().to_owned(), self.items.len());
        self.items.push(item);
    }

    pub(crate) fn remove(&mut self, id: &str) -> Option<T> {
        let index = self.indexes.remove(id)?;
        let item = self.items.swap_remove(index);
        if let Some(moved) = self.items.get(index) {
            self.indexes.insert(moved.id().to_owned(), index);
        }
        Some(item)
    }

    pub(crate) fn get(&self, id: &str) -> Option<&T> {
        self.indexes.get(id).map(|&index| &self.items[index])
    }

    pub(crate) fn get_mut(&mut self, id: &str) -> Option<&mut T> {
        self.indexes.get(id).map(|&index| &mut self.items[index])
    }

    pub(crate) fn draw(&self, rng: &mut ChaCha8Rng) -> Option<&T> {
        (!self.is_empty()).then(|| &self.items[rng.random_range(0..self.items.len())])
    }

    pub(crate) fn draw_mut(&mut self, rng: &mut ChaCha8Rng) -> Option<&mut T> {
        (!self.is_empty()).then(|| {
            let index = rng.random_range(0..self.items.len());
            &mut self.items[index]
        })
    }
}

impl HasId for User {
    fn id(&self) -> &str {
        &self.id
    }
}

impl HasId for Organization {
    fn id(&self) -> &str {
        &self.id
    }
}

impl HasId for Membership {
    fn id(&self) -> &str {
        &self.id
    }
}
