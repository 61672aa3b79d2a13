//! Whatever an application's schema refuses meanwhile, the mirror ends as it should once nothing is
//! refused any more.

use std::collections::BTreeMap;

use deskbell_store::NewEvent;
use deskbell_sync::MirrorOptions;
use deskbell_sync::dead_letters::{self, Choice};
use proptest::prelude::*;

use super::backend::{DUE, HOSTILE_CASES, Hostile};
use super::consumer::World;
use super::convergence::{arrival, block_on, cases};
use super::expected::{Tables, expected, reduced};
use super::model::{Happening, happenings};
use super::never_stops::drain;
use super::shapes;
use super::support::everything;

const EVENTS_MAX: usize = 40;
/// Rounds of retries in which everything that waits must have come in.
const ROUNDS: usize = 4;

/// The events arrive while the schema refuses a part of what they say, and are tried again after that.
async fn arrive(batches: &[Vec<deskbell_store::StoredEvent>]) -> Tables {
    let mut world = World::new().await;
    let url = world.options.database.url.clone();
    let batch = world.options.batch;
    world.options = MirrorOptions { batch, ..everything() };
    world.options.database.url = url;
    let hostile = Hostile::new(&mut world).await;
    let mut consumer = world.consumer().await;
    drain(&mut consumer).await;
    hostile.refuse(&world).await;
    for events in batches {
        let events = events.iter().map(|event| NewEvent {
            source: event.source.clone(),
            message_id: event.message_id.clone(),
            event_type: event.event_type.clone(),
            subject: None,
            occurred_at_ms: event.occurred_at_ms,
            instance_id: None,
            payload: event.payload.clone(),
            origin: event.origin,
        });
        world.store.append(&events.collect::<Vec<_>>()).await.unwrap();
        drain(&mut consumer).await;
    }
    hostile.relent(&world).await;
    for _ in 0..ROUNDS {
        world.place.run(DUE).await;
        dead_letters::request_retry(&world.options, &Choice::All).await.unwrap();
        drain(&mut consumer).await;
    }
    let reader = world.reader().await;
    let mut tables = BTreeMap::new();
    for name in shapes::tables() {
        if let Ok(rows) = reader.whole_rows(name).await {
            tables.insert(name, rows);
        }
    }
    drop(consumer);
    hostile.end(world).await;
    reduced(&tables)
}

fn what_should_be(happenings: &[Happening]) -> Tables {
    expected(happenings, deskbell_sync::OnDelete::Delete)
}

#[test]
fn any_arrival_ends_in_the_same_tables_whatever_is_refused_meanwhile() {
    let config = ProptestConfig { failure_persistence: None, ..cases(HOSTILE_CASES) };
    proptest!(config, |(happenings in happenings(EVENTS_MAX), arrival in arrival())| {
        let batches = arrival.batches_of(&happenings);
        let tables = block_on(arrive(&batches));
        prop_assert_eq!(tables, what_should_be(&happenings));
    });
}
