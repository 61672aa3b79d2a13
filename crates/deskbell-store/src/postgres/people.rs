//! The index of whom events name, in a store whose people are to be erased when they are gone.

use super::PostgresStore;
use crate::upkeep::{indexed, people_in};
use crate::{LogId, NewEvent};

impl PostgresStore {
    /// Indexes whom events name from here on, so that what is stored about a user can be erased.
    #[must_use]
    pub fn index_people(mut self) -> Self {
        self.indexes_people = true;
        self
    }
}

/// Whom a batch names: each person with the number of the event, the first being number one.
pub(super) fn named(batch: &[NewEvent], log: LogId) -> (Vec<String>, Vec<i32>) {
    (1..)
        .zip(batch)
        .flat_map(|(number, event)| {
            let people = people_in(&event.payload).into_iter();
            people.map(move |person| (indexed(&person, log), number))
        })
        .unzip()
}
