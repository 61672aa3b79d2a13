//! The mirror is the same whatever the order, the batches and the repetitions.

use deskbell_store::StoredEvent;
use deskbell_sync::{MirrorOptions, OnDelete};
use proptest::prelude::*;
use proptest::sample::Index;

use super::backend::{CASES, Place};
use super::expected::{Tables, expected, reduced};
use super::model::{Happening, happenings};
use super::support::{Mirror, everything};

/// What `proptest` does by itself.
const CASES_UNLESS_ASKED: u32 = 256;
const EVENTS_MAX: usize = 40;

/// A way in which the same events may arrive.
#[derive(Debug, Clone)]
pub(crate) struct Arrival {
    /// For each event, where among the others it comes.
    order: Vec<u32>,
    /// Events that come once more, and where.
    repeated: Vec<(Index, Index)>,
    /// The sizes of the batches, over and over.
    batches: Vec<usize>,
}

pub(crate) fn arrival() -> impl Strategy<Value = Arrival> {
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
    pub(crate) fn batches_of(&self, happenings: &[Happening]) -> Vec<Vec<StoredEvent>> {
        let mut order: Vec<_> = (0..happenings.len()).collect();
        order.sort_by_key(|index| self.order[*index % EVENTS_MAX]);
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

pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// As many as are asked for, or as the database has time for.
pub(crate) fn cases(by_default: u32) -> ProptestConfig {
    let asked_for = ProptestConfig::default();
    let nobody_asks = asked_for.cases == CASES_UNLESS_ASKED;
    ProptestConfig { cases: if nobody_asks { by_default } else { asked_for.cases }, ..asked_for }
}

/// Some batches, and then the whole log from the beginning: a restored target.
async fn arrive(options: MirrorOptions, batches: &[Vec<StoredEvent>], cut: Index) -> Tables {
    let mut mirror = Mirror::at(options).await;
    for batch in &batches[..cut.index(batches.len())] {
        mirror.apply(batch).await;
    }
    for batch in batches {
        mirror.apply(batch).await;
    }
    let tables = reduced(&mirror.everything().await);
    mirror.close().await;
    tables
}

fn any_arrival_ends_in_the_same_tables(on_delete: OnDelete) {
    let place = block_on(Place::new());
    let config = ProptestConfig { failure_persistence: None, ..cases(CASES) };
    proptest!(config, |(happenings in happenings(EVENTS_MAX), arrival in arrival(), cut: Index)| {
        let batches = arrival.batches_of(&happenings);
        let tables = block_on(async {
            let mut options = everything();
            options.database.on_delete = on_delete;
            let options = place.another(options).await;
            arrive(options, &batches, cut).await
        });
        prop_assert_eq!(tables, expected(&happenings, on_delete));
    });
}

#[test]
fn any_arrival_ends_in_the_same_tables_where_deleted_rows_go() {
    any_arrival_ends_in_the_same_tables(OnDelete::Delete);
}

#[test]
fn any_arrival_ends_in_the_same_tables_where_deleted_rows_stay() {
    any_arrival_ends_in_the_same_tables(OnDelete::Mark);
}
