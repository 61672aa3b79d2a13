//! Keys of deliveries as the lists that a statement takes.

use crate::deliveries::{DeliveryKey, NewDelivery};

/// Deliveries by destination: the next `counts` of the others are the next destination's, in the
/// order of the log, which is the order in which rows are locked.
#[derive(Debug, Default)]
pub(super) struct Lists<'a> {
    pub(super) destinations: Vec<&'a str>,
    pub(super) counts: Vec<i32>,
    pub(super) seqs: Vec<i64>,
    pub(super) subjects: Vec<Option<&'a str>>,
}

impl<'a> Lists<'a> {
    pub(super) fn of(deliveries: &'a [NewDelivery]) -> Self {
        Self::once_each(deliveries.iter().map(|one| (&one.key, one.subject.as_deref())))
    }

    pub(super) fn of_keys(deliveries: &'a [DeliveryKey]) -> Self {
        Self::once_each(deliveries.iter().map(|key| (key, None)))
    }

    /// Of deliveries and the subjects of their events; one that comes twice counts once.
    fn once_each(deliveries: impl Iterator<Item = (&'a DeliveryKey, Option<&'a str>)>) -> Self {
        let mut sorted: Vec<_> = deliveries.collect();
        sorted.sort_by_key(|(key, _)| *key);
        sorted.dedup_by_key(|(key, _)| *key);
        let mut lists = Self::default();
        for (key, subject) in sorted {
            if lists.destinations.last() != Some(&&*key.destination) {
                lists.destinations.push(&key.destination);
                lists.counts.push(0);
            }
            if let Some(count) = lists.counts.last_mut() {
                *count += 1;
            }
            lists.seqs.push(key.seq.get());
            lists.subjects.push(subject);
        }
        lists
    }
}
