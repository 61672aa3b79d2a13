//! The index of user references, for a store that erases deleted users.

use crate::retention::{index_key, user_refs_in};
use crate::{LogId, NewEvent};

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
