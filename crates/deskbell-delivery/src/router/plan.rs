//! What to read next, from the destinations' checkpoints.

use std::collections::BTreeMap;
use std::sync::Arc;

use deskbell_store::{ReadLimit, Seq};

/// A part of the log that some destinations have not been given.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct LogRange {
    /// Their checkpoint.
    pub(super) from: Seq,
    /// The next checkpoint, from which they share the reads of others; `None` for the last range.
    pub(super) until: Option<Seq>,
    pub(super) destinations: Vec<Arc<str>>,
}

/// One range for each checkpoint, the smallest first.
pub(super) fn ranges(checkpoints: &BTreeMap<Arc<str>, Seq>) -> Vec<LogRange> {
    let mut groups: BTreeMap<Seq, Vec<Arc<str>>> = BTreeMap::new();
    for (destination, seq) in checkpoints {
        groups.entry(*seq).or_default().push(Arc::clone(destination));
    }
    let ends: Vec<Option<Seq>> =
        groups.keys().skip(1).map(|seq| Some(*seq)).chain([None]).collect();
    groups
        .into_iter()
        .zip(ends)
        .map(|((from, destinations), until)| LogRange { from, until, destinations })
        .collect()
}

impl LogRange {
    /// `limit`, cut to the range.
    pub(super) fn limit(&self, limit: ReadLimit) -> ReadLimit {
        let Some(until) = self.until else { return limit };
        let events = u32::try_from(until.distance_from(self.from)).unwrap_or(u32::MAX);
        ReadLimit { events_max: limit.events_max.min(events), ..limit }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(checkpoints: &[(&str, i64)]) -> Vec<(i64, Option<i64>, String)> {
        let checkpoints =
            checkpoints.iter().map(|(name, seq)| (Arc::from(*name), Seq::new(*seq))).collect();
        let plan = ranges(&checkpoints).into_iter().map(|range| {
            (range.from.get(), range.until.map(Seq::get), range.destinations.join(" "))
        });
        plan.collect()
    }

    #[test]
    fn equal_checkpoints_share_a_range_and_those_behind_catch_up() {
        assert_eq!(plan(&[]), []);
        assert_eq!(plan(&[("a", 7), ("b", 7)]), [(7, None, "a b".to_owned())]);
        assert_eq!(
            plan(&[("a", 7), ("new", 0), ("b", 7), ("slow", 3)]),
            [
                (0, Some(3), "new".to_owned()),
                (3, Some(7), "slow".to_owned()),
                (7, None, "a b".to_owned()),
            ]
        );
    }

    #[test]
    fn a_range_is_not_read_past_its_end() {
        let range = |until| LogRange { from: Seq::new(3), until, destinations: Vec::new() };
        let limit = ReadLimit { events_max: 100, bytes_max: 1 };
        assert_eq!(range(None).limit(limit), limit);
        assert_eq!(range(Some(Seq::new(10))).limit(limit).events_max, 7);
        assert_eq!(range(Some(Seq::new(1_000))).limit(limit).events_max, 100);
    }
}
