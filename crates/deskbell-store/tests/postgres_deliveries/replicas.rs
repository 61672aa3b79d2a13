//! Two stores on one database.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use deskbell_store::deliveries::{
    DeliveryQueries, DeliveryQueue, DeliveryState, ROUTER, Replays, Routed, RoutedBatch, Routing,
};
use deskbell_store::{Leases, PostgresStore, Seq};
use sqlx::Row;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::database::Database;
use super::{
    LEASE, NewDelivery, Ordering, Verdict, append_and_route, claim, delivered, key, pending,
    register, seqs, settlement,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_delivery_is_handed_out_once() {
    const DELIVERIES: usize = 10_000;
    let database = Database::new().await;
    let stores = [Arc::new(database.open().await), Arc::new(database.open().await)];
    register(&stores[0], Ordering::None).await;
    append_and_route(&stores[0], DELIVERIES, 1).await;
    let seen = Arc::new(Mutex::new(HashSet::new()));
    let mut tasks = JoinSet::new();
    for store in stores.iter().flat_map(|store| [store, store]) {
        let (to_settle, mut settling) = mpsc::unbounded_channel::<Vec<_>>();
        let (claiming, seen) = (Arc::clone(store), Arc::clone(&seen));
        tasks.spawn(async move {
            // Beside a claim of another that takes all that is left, there is none for a moment.
            while pending(&claiming).await > 0 {
                let claimed = claim(&claiming, 64).await;
                for one in &claimed {
                    let new = seen.lock().unwrap().insert(one.claim.seq);
                    assert!(new, "{} was handed out twice", one.claim.seq);
                }
                to_settle.send(claimed).unwrap();
            }
        });
        let store = Arc::clone(store);
        tasks.spawn(async move {
            while let Some(claimed) = settling.recv().await {
                assert_eq!(store.settle("hook", &delivered(&claimed)).await.unwrap(), 0);
            }
        });
    }
    tasks.join_all().await;
    assert_eq!(seen.lock().unwrap().len(), DELIVERIES);
    let keys: Vec<_> = (1..=10_000).map(key).collect();
    assert_eq!(stores[1].missing(&keys).await.unwrap(), [], "each is settled");
}

#[tokio::test]
async fn the_claims_of_a_store_that_is_gone_end_with_their_lease() {
    let database = Database::new().await;
    let (gone, left) = (database.open().await, database.open().await);
    register(&gone, Ordering::None).await;
    append_and_route(&gone, 3, 1).await;
    assert_eq!(seqs(&claim(&gone, 2).await), [1, 2]);
    drop(gone);
    assert_eq!(seqs(&claim(&left, 10).await), [3]);
    database.clock.advance(LEASE - Duration::from_millis(1));
    assert_eq!(seqs(&claim(&left, 10).await), [] as [i64; 0]);
    database.clock.advance(Duration::from_millis(1));
    assert_eq!(seqs(&claim(&left, 10).await), [1, 2, 3]);
}

#[tokio::test]
async fn who_waits_elsewhere_is_woken() {
    let database = Database::new().await;
    let (here, elsewhere) = (database.open().await, database.open().await);
    register(&here, Ordering::None).await;
    let due = elsewhere.due("hook");
    due.notified().await; // the destination was registered
    append_and_route(&here, 1, 1).await;
    due.notified().await;
    assert_eq!(seqs(&claim(&elsewhere, 10).await), [1]);
}

/// The router that was overtaken has written, and not committed yet.
#[tokio::test]
async fn a_router_cannot_be_overtaken_between_its_check_and_its_commit() {
    let database = Database::new().await;
    let store = Arc::new(database.open().await);
    register(&store, Ordering::None).await;
    let token = store.next_fencing_token(ROUTER).await.unwrap();
    let mut late = database.connect().await;
    let sql =
        "SELECT deskbell.route_v1(NULL, $1, 0, 0, '{hook}', '{}', '{}', '{}', '{}', '{}', '{}')";
    sqlx::raw_sql("BEGIN").execute(&mut late).await.unwrap();
    let done = sqlx::query(sql).bind(token.get()).fetch_one(&mut late).await.unwrap();
    assert!(done.get::<bool, _>(0));
    let mut tasks = JoinSet::new();
    let overtaking = Arc::clone(&store);
    tasks.spawn(async move { overtaking.next_fencing_token(ROUTER).await.unwrap() });
    until_somebody_waits_for_a_lock(&mut database.connect().await).await;
    sqlx::raw_sql("COMMIT").execute(&mut late).await.unwrap();
    let newer = tasks.join_next().await.unwrap().unwrap();
    assert!(newer > token);
    let batch = RoutedBatch {
        token,
        from: Seq::ZERO,
        to: Seq::ZERO,
        destinations: vec!["hook".into()],
        deliveries: Vec::new(),
        filtered_out: Vec::new(),
    };
    assert_eq!(store.route(&batch).await.unwrap(), Routed::Superseded);
    let batch = RoutedBatch { token: newer, ..batch };
    assert_eq!(store.route(&batch).await.unwrap(), Routed::Done);
}

async fn until_somebody_waits_for_a_lock(connection: &mut sqlx::PgConnection) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
    let sql = "SELECT EXISTS (SELECT FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock')";
    while !sqlx::query_scalar::<_, bool>(sql).fetch_one(&mut *connection).await.unwrap() {
        assert!(tokio::time::Instant::now() < deadline, "nobody waits");
        tokio::task::yield_now().await;
    }
}

/// What is settled in one store while another one adds it again, and revives it, is in one state.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_added_while_it_is_settled_is_in_one_state() {
    const DELIVERIES: i64 = 600;
    for ordering in [Ordering::None, Ordering::Subject] {
        let database = Database::new().await;
        let stores = [Arc::new(database.open().await), Arc::new(database.open().await)];
        register(&stores[0], ordering).await;
        append_and_route(&stores[0], 600, 40).await;
        let mut tasks = JoinSet::new();
        tasks.spawn(add_and_revive(Arc::clone(&stores[1]), DELIVERIES));
        for store in &stores {
            tasks.spawn(settle_all(Arc::clone(store)));
        }
        tasks.join_all().await;
        while pending(&stores[0]).await > 0 {
            let claimed = claim(&stores[0], 100).await;
            assert_ne!(seqs(&claimed), [] as [i64; 0], "what is pending can be claimed");
            assert_eq!(stores[0].settle("hook", &delivered(&claimed)).await.unwrap(), 0);
        }
        for seq in 1..=DELIVERIES {
            let states = stores[1].deliveries_of(Seq::new(seq)).await.unwrap();
            assert_eq!(states.len(), 1, "{states:?}");
            assert!(matches!(states[0].state, DeliveryState::Delivered { .. }), "{states:?}");
        }
    }
}

async fn add_and_revive(store: Arc<PostgresStore>, deliveries: i64) {
    let keys: Vec<_> = (1..=deliveries).rev().map(key).collect();
    for round in 0..60 {
        let some = keys.iter().skip(round % 7).step_by(7).cloned();
        let again: Vec<_> = some
            .map(|key| {
                let subject = Some(super::subject(usize::try_from(key.seq.get()).unwrap(), 40));
                NewDelivery { key, subject }
            })
            .collect();
        assert_eq!(store.enqueue(&again).await.unwrap(), 0, "each exists in some state");
        let revived: Vec<_> = keys.iter().skip(round).step_by(61).cloned().collect();
        store.revive(&revived).await.unwrap();
    }
}

async fn settle_all(store: Arc<PostgresStore>) {
    while pending(&store).await > 0 {
        let claimed = claim(&store, 16).await;
        let settlements: Vec<_> = claimed
            .iter()
            .enumerate()
            .map(|(n, one)| match (n % 4, one.attempts) {
                (0, 0) => settlement(one, Verdict::Retry(Duration::ZERO)),
                _ => settlement(one, Verdict::Delivered),
            })
            .collect();
        assert_eq!(store.settle("hook", &settlements).await.unwrap(), 0);
    }
}
