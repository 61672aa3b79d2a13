//! The index of user references, for a store that erases deleted users.

use super::PostgresStore;
use crate::retention::{index_key, user_refs_in};
use crate::{LogId, NewEvent};

impl PostgresStore {
    /// Indexes user references from now on, so that what is stored about a user can be erased.
    #[must_use]
    pub fn index_user_refs(mut self) -> Self {
        self.indexes_user_refs = true;
        self
    }
}

/// The references of a batch, each with the number of its event, beginning with 1.
pub(super) fn named(batch: &[NewEvent], log: LogId) -> (Vec<String>, Vec<i32>) {
    (1..)
        .zip(batch)
        .flat_map(|(number, event)| {
            let refs = user_refs_in(&event.payload).into_iter();
            refs.map(move |user_ref| (index_key(&user_ref, log), number))
        })
        .unzip()
}
