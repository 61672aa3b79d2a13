//! What to read next, from where the destinations stand.

use std::collections::BTreeMap;
use std::sync::Arc;

use deskbell_store::{ReadLimit, Seq};

/// A part of the log that some destinations have before them.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct LogRange {
    /// Where they stand.
    pub(super) from: Seq,
    /// Where the next ones stand, to go on with them from there; `None` for the foremost.
    pub(super) until: Option<Seq>,
    pub(super) destinations: Vec<Arc<str>>,
}

/// One range for each place where destinations stand, the hindmost first.
pub(super) fn ranges(checkpoints: &BTreeMap<Arc<str>, Seq>) -> Vec<LogRange> {
    let mut places: BTreeMap<Seq, Vec<Arc<str>>> = BTreeMap::new();
    for (destination, seq) in checkpoints {
        places.entry(*seq).or_default().push(Arc::clone(destination));
    }
    let ends: Vec<Option<Seq>> =
        places.keys().skip(1).map(|seq| Some(*seq)).chain([None]).collect();
    places
        .into_iter()
        .zip(ends)
        .map(|((from, destinations), until)| LogRange { from, until, destinations })
        .collect()
}

impl LogRange {
    /// No more than lies in it.
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
    fn who_stands_together_reads_together_and_who_is_behind_catches_up() {
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
    fn nothing_is_read_past_the_next_ones() {
        let range = |until| LogRange { from: Seq::new(3), until, destinations: Vec::new() };
        let limit = ReadLimit { events_max: 100, bytes_max: 1 };
        assert_eq!(range(None).limit(limit), limit);
        assert_eq!(range(Some(Seq::new(10))).limit(limit).events_max, 7);
        assert_eq!(range(Some(Seq::new(1_000))).limit(limit).events_max, 100);
    }
}
