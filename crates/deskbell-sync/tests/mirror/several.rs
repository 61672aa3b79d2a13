//! Several engines at once, each with a log, a destination and an order of its own.

use deskbell_store::StoredEvent;
use deskbell_sync::{
    Expressions, Line, MirrorConsumer, MirrorOptions, OnDelete, Stale, StatementConfig, SyncError,
};
use proptest::prelude::*;
use tokio::task::JoinSet;

use super::backend::{CASES, Place};
use super::consumer::World;
use super::convergence::{arrival, cases};
use super::expected::{Tables, expected, reduced};
use super::model::happenings;
use super::support::{Mirror, everything};

const EVENTS_MAX: usize = 40;

fn on_threads<T>(future: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.worker_threads(3).enable_all().build().unwrap().block_on(future)
}

/// Every engine applies its batches as fast as it can; the tables when all are done.
async fn at_once(options: MirrorOptions, engines: Vec<Vec<Vec<StoredEvent>>>) -> Tables {
    let mut running = JoinSet::new();
    for (number, batches) in engines.into_iter().enumerate() {
        let options = MirrorOptions { destination: format!("engine_{number}"), ..options.clone() };
        running.spawn(async move {
            let mut mirror = Mirror::at(options).await;
            for batch in &batches {
                mirror.apply(batch).await;
            }
            mirror
        });
    }
    let mirrors = running.join_all().await;
    let tables = reduced(&mirrors[0].everything().await);
    for mirror in mirrors {
        mirror.close().await;
    }
    tables
}

fn engines_at_once_end_in_the_same_tables(on_delete: OnDelete) {
    let place = on_threads(Place::new());
    let config = ProptestConfig { failure_persistence: None, ..cases(CASES / 6) };
    proptest!(config, |(happenings in happenings(EVENTS_MAX), arrivals in [arrival(), arrival(), arrival()])| {
        let engines = arrivals.iter().map(|arrival| arrival.batches_of(&happenings)).collect();
        let tables = on_threads(async {
            let mut options = everything();
            options.database.on_delete = on_delete;
            let options = place.another(options).await;
            at_once(options, engines).await
        });
        prop_assert_eq!(tables, expected(&happenings, on_delete));
    });
}

#[test]
fn engines_at_once_end_in_the_same_tables_where_deleted_rows_go() {
    engines_at_once_end_in_the_same_tables(OnDelete::Delete);
}

#[test]
fn engines_at_once_end_in_the_same_tables_where_deleted_rows_stay() {
    engines_at_once_end_in_the_same_tables(OnDelete::Mark);
}

/// Runs until the log ends, and takes the destination over whenever it was lost; the rows that were
/// written, and how often it was lost.
async fn fight(mut consumer: MirrorConsumer, end: i64) -> (u64, u64) {
    let (mut rows_written, mut lost) = (0, 0);
    loop {
        match consumer.run_once().await {
            Ok(progress) => {
                rows_written += progress.rows_written;
                if progress.seq.get() == end {
                    return (rows_written, lost);
                }
            }
            Err(SyncError::Superseded { .. }) => {
                lost += 1;
                tokio::task::yield_now().await;
            }
            Err(error) => panic!("{error:?}"),
        }
    }
}

/// A table in which a statement counts events: what is done twice is seen there, where an upsert
/// would hide it.
pub(crate) const COUNTED: &str =
    "CREATE TABLE counted (events bigint); INSERT INTO counted VALUES (0)";

pub(crate) fn counting() -> StatementConfig {
    StatementConfig {
        name: Some("count".to_owned()),
        on: ["user.*", "organization.*", "organizationMembership.*"].map(str::to_owned).to_vec(),
        sql: "update counted set events = events + 1".to_owned(),
        params: Expressions::default(),
        when: None,
        stale: Stale::Run,
        expect_rows: None,
        line: Line(Some(1)),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn consumers_that_fight_over_one_destination_apply_each_event_once() {
    let mut world = World::new().await;
    world.place.make().await;
    world.place.run(COUNTED).await;
    world.options.database.statements = vec![counting()];
    world.append_users(0, 120).await;
    let mut consumers = [world.consumer().await, world.consumer().await, world.consumer().await];
    let mut rows_written = 0;
    // Each takes the destination from the one before, which does not know it yet.
    for consumer in &mut consumers {
        rows_written += consumer.run_once().await.unwrap().rows_written;
    }
    let fighting = consumers.into_iter().map(|consumer| fight(consumer, 120));
    let fought = JoinSet::from_iter(fighting).join_all().await;
    assert!(fought.iter().any(|(_, lost)| *lost > 0), "nobody fought");
    rows_written += fought.iter().map(|(rows_written, _)| rows_written).sum::<u64>();
    assert_eq!(rows_written, 120);
    assert_eq!(world.users().await, 120);
    assert_eq!(world.checkpoint().await, Some(120));
    assert_eq!(world.place.rows("SELECT events FROM counted").await, [["120"]]);
}
