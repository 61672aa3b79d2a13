//! The mirror is the same whatever the order, the batches and the repetitions.

use deskbell_store::StoredEvent;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::model::{Happening, expected, happenings, reduced, rows_are_whole};
use crate::support::Mirror;

const EVENTS_MAX: usize = 40;

/// A way in which the same events may arrive.
#[derive(Debug, Clone)]
struct Arrival {
    /// For each event, where among the others it comes.
    order: Vec<u32>,
    /// Events that come once more, and where.
    repeated: Vec<(Index, Index)>,
    /// The sizes of the batches, over and over.
    batches: Vec<usize>,
}

fn arrival() -> impl Strategy<Value = Arrival> {
    let order = prop::collection::vec(any::<u32>(), EVENTS_MAX);
    let repeated = prop::collection::vec(any::<(Index, Index)>(), 0..8);
    let batches = prop::collection::vec(1..12_usize, 1..4);
    (order, repeated, batches).prop_map(|(order, repeated, batches)| Arrival {
        order,
        repeated,
        batches,
    })
}

impl Arrival {
    fn batches_of(&self, happenings: &[Happening]) -> Vec<Vec<StoredEvent>> {
        let mut order: Vec<_> = (0..happenings.len()).collect();
        order.sort_by_key(|index| self.order[*index]);
        for (which, place) in &self.repeated {
            order.insert(place.index(order.len()), which.index(happenings.len()));
        }
        let mut events = order.into_iter().map(|index| happenings[index].event());
        let mut batches = Vec::new();
        for size in self.batches.iter().cycle() {
            let batch: Vec<_> = events.by_ref().take(*size).collect();
            if batch.is_empty() {
                break;
            }
            batches.push(batch);
        }
        batches
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_arrival_ends_in_the_same_tables(
        happenings in happenings(EVENTS_MAX),
        arrival in arrival(),
        cut in any::<Index>(),
    ) {
        let batches = arrival.batches_of(&happenings);
        let tables = block_on(async {
            let mut mirror = Mirror::new().await;
            // Some batches, and then the whole log from the beginning: a restored target.
            for batch in &batches[..cut.index(batches.len())] {
                mirror.apply(batch).await;
            }
            for batch in &batches {
                mirror.apply(batch).await;
            }
            mirror.everything().await
        });
        prop_assert!(rows_are_whole(&tables));
        prop_assert_eq!(reduced(&tables), expected(&happenings));
    }
}
