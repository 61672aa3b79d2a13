//! Events a minute, from the sequence numbers at which minutes began: those have no gaps.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use deskbell_admin::{MinuteCount, Timestamp};
use deskbell_store::{EventLog, Seq, StoreError};

const MINUTE_MS: i64 = 60_000;
/// Minutes that are shown.
const SHOWN: i64 = 60;

/// The first event of each of the last minutes. What has passed does not change, so that each is looked
/// for once.
#[derive(Debug, Default)]
pub(crate) struct Minutes(Mutex<BTreeMap<i64, Seq>>);

impl Minutes {
    /// How many events were received in each of the last minutes, the current one among them.
    pub(crate) async fn counts(
        &self,
        log: &dyn EventLog,
        now_ms: i64,
    ) -> Result<Vec<MinuteCount>, StoreError> {
        let current = now_ms.div_euclid(MINUTE_MS);
        let shown = current - SHOWN + 1..=current;
        let known = self.known(*shown.start());
        let mut firsts = BTreeMap::new();
        for minute in shown {
            let first = match known.get(&minute) {
                Some(first) => *first,
                None => log.first_received_since(minute * MINUTE_MS).await?,
            };
            firsts.insert(minute, first);
        }
        let counts = counted(&firsts, log.head().await?.next());
        self.keep(firsts, current);
        Ok(counts)
    }

    fn known(&self, from: i64) -> BTreeMap<i64, Seq> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *known = known.split_off(&from);
        known.clone()
    }

    /// A minute whose first event is not there yet is looked for again.
    fn keep(&self, mut firsts: BTreeMap<i64, Seq>, current: i64) {
        firsts.remove(&current);
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.extend(firsts);
    }
}

fn counted(firsts: &BTreeMap<i64, Seq>, past: Seq) -> Vec<MinuteCount> {
    let mut counts = Vec::with_capacity(firsts.len());
    let mut next = past;
    for (minute, first) in firsts.iter().rev() {
        let events = next.distance_from(*first);
        counts.push(MinuteCount { from: Timestamp(minute * MINUTE_MS), events });
        next = *first;
    }
    counts.reverse();
    counts
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use deskbell_store::{Clock, SqliteStore};

    use super::*;

    #[tokio::test]
    async fn each_minute_has_the_events_that_came_in_it() {
        let directory = tempfile::tempdir().unwrap();
        let clock = Clock::manual(0);
        let path = directory.path().join("deskbell.db");
        let store = SqliteStore::open_with_clock(&path, clock.clone()).await.unwrap();
        let (minutes, mut sent) = (Minutes::default(), 0);
        for (minute, events) in [(100, 2), (101, 0), (102, 3)] {
            let past_ms = minute * MINUTE_MS + 1 - clock.now_ms();
            clock.advance(Duration::from_millis(past_ms.try_into().unwrap()));
            for _ in 0..events {
                sent += 1;
                let event = testkit::event(&format!("msg_{sent}"), "user.created").new_event();
                store.append(&[event]).await.unwrap();
            }
            let counts = minutes.counts(&store, minute * MINUTE_MS + 2).await.unwrap();
            assert_eq!(counts.len(), 60);
            assert_eq!(counts[59].events, events, "minute {minute}");
        }
        let counts = minutes.counts(&store, 103 * MINUTE_MS).await.unwrap();
        let last: Vec<u64> = counts[56..].iter().map(|count| count.events).collect();
        assert_eq!(last, [2, 0, 3, 0]);
    }
}
