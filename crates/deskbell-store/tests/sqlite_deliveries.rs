//! Deliveries in a file: old files, other processes, and callers that go away.

use std::path::Path;
use std::task::Poll;
use std::time::Duration;

use deskbell_store::conformance::{event, events, work};
use deskbell_store::deliveries::{
    ClaimedDelivery, DeliveryKey, DeliveryQueries, DeliveryQueue, Destinations, NewDelivery,
    Ordering, ROUTER, Replays, RoutedBatch, Routing, Settlement,
};
use deskbell_store::{
    Clock, Command, EventLog, Leases, Seq, SqliteOpenError, SqliteStore, StoreError,
};
use sqlx::{Connection, SqliteConnection};

const FIRST_STEP: &str = include_str!("../src/sqlite/migrations/0001_event_log.sql");

async fn connect(path: &Path) -> SqliteConnection {
    SqliteConnection::connect(&format!("sqlite://{}?mode=rwc", path.display())).await.unwrap()
}

/// A store as the program before this one left it, with one event that was sent twice.
async fn old_store(path: &Path) {
    let mut connection = connect(path).await;
    sqlx::raw_sql(sqlx::AssertSqlSafe(format!(
        "{FIRST_STEP}
         PRAGMA user_version = 1; PRAGMA application_id = {};
         INSERT INTO log (log_id) VALUES ('{}');
         INSERT INTO events VALUES (1, 'clerk', 'msg_1', 'user.created', NULL, 0, 0, NULL, x'7b7d');
         INSERT INTO replay_requests (seq, requested_at_ms) VALUES (1, 0);",
        0x4445_534b, "log_00112233445566778899aabbccddeeff"
    )))
    .execute(&mut connection)
    .await
    .unwrap();
    connection.close().await.unwrap();
}

async fn register(store: &SqliteStore) {
    work::register(store, "hook", Ordering::None).await;
}

async fn claim(store: &SqliteStore) -> Result<Vec<ClaimedDelivery>, StoreError> {
    Ok(store.claim(&work::claim_of("hook", 1_000)).await?.deliveries)
}

fn delivered(claimed: &[ClaimedDelivery]) -> Vec<Settlement> {
    claimed.iter().map(work::delivered).collect()
}

fn pending(seqs: std::ops::RangeInclusive<i64>) -> Vec<NewDelivery> {
    seqs.map(|seq| NewDelivery { key: work::key("hook", seq), subject: None }).collect()
}

#[tokio::test]
async fn an_old_store_is_brought_up_and_keeps_its_log() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("deskbell.db");
    old_store(&path).await;
    let store = SqliteStore::open(&path).await.unwrap();
    assert_eq!(store.head().await.unwrap(), Seq::new(1));
    assert_eq!(store.log_id().to_string(), "log_00112233445566778899aabbccddeeff");
    register(&store).await;
    assert_eq!(store.enqueue(&pending(1..=1)).await.unwrap(), 1);
    assert_eq!(claim(&store).await.unwrap().len(), 1);
    let token = store.next_fencing_token(ROUTER).await.unwrap();
    let revived = store.revive_requested(token, 10).await.unwrap();
    let nothing = deskbell_store::deliveries::Revived::Done { requests: 0, deliveries: 0 };
    assert_eq!(revived, nothing, "requests from before there were deliveries are done with");
}

#[tokio::test]
async fn an_old_store_is_neither_read_nor_given_commands() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("deskbell.db");
    old_store(&path).await;
    let refused = SqliteStore::open_to_read(&path).await.unwrap_err();
    assert!(matches!(refused, SqliteOpenError::Older { found: 1, needed: 2.., .. }), "{refused}");
    let refused =
        SqliteStore::enqueue_command_at(&path, &Command("x".to_owned())).await.unwrap_err();
    assert!(matches!(refused, SqliteOpenError::Older { found: 1, needed: 2.., .. }), "{refused}");
    assert!(refused.to_string().contains("`deskbell serve`"), "{refused}");
}

#[tokio::test]
async fn commands_need_a_store_that_is_there() {
    let directory = tempfile::tempdir().unwrap();
    let command = Command("x".to_owned());
    let missing = directory.path().join("missing.db");
    let refused = SqliteStore::enqueue_command_at(&missing, &command).await.unwrap_err();
    assert!(matches!(refused, SqliteOpenError::Missing { .. }), "{refused}");
    assert!(!missing.exists());
    let other = directory.path().join("app.db");
    let mut connection = connect(&other).await;
    sqlx::raw_sql("CREATE TABLE orders (id)").execute(&mut connection).await.unwrap();
    let refused = SqliteStore::enqueue_command_at(&other, &command).await.unwrap_err();
    assert!(matches!(refused, SqliteOpenError::NotAStore { .. }), "{refused}");
}

#[tokio::test]
async fn who_only_reads_claims_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("deskbell.db");
    let store = SqliteStore::open(&path).await.unwrap();
    register(&store).await;
    store.append(&events("a", 2)).await.unwrap();
    store.enqueue(&pending(1..=2)).await.unwrap();
    let reader = SqliteStore::open_to_read(&path).await.unwrap();
    assert_eq!(reader.backlogs().await.unwrap()[0].pending, 2);
    assert!(matches!(claim(&reader).await, Err(StoreError::Closed)));
    assert!(matches!(reader.enqueue(&pending(1..=1)).await, Err(StoreError::Closed)));
}

#[tokio::test]
async fn a_settlement_that_failed_may_be_tried_again() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("deskbell.db");
    let clock = Clock::manual(1_800_000_000_000);
    let store = SqliteStore::open_with_clock(&path, clock.clone()).await.unwrap();
    register(&store).await;
    store.append(&events("a", 2)).await.unwrap();
    store.enqueue(&pending(1..=2)).await.unwrap();
    let settlements = delivered(&claim(&store).await.unwrap());
    let mut other = connect(&path).await;
    sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
    store.settle("hook", &settlements).await.unwrap_err();
    sqlx::raw_sql("ROLLBACK").execute(&mut other).await.unwrap();
    assert_eq!(claim(&store).await.unwrap().len(), 0, "they are still claimed");
    assert_eq!(store.settle("hook", &settlements).await.unwrap(), 0);
    clock.advance(Duration::from_secs(60));
    assert_eq!(claim(&store).await.unwrap().len(), 0);
}

/// Dropped when it is woken for this time: somewhere between the first statement and the commit.
async fn begin_and_drop(work: impl Future, wakes: usize) {
    let mut work = Box::pin(work);
    let mut left = wakes;
    std::future::poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(());
        }
        left -= 1;
        work.as_mut().poll(context).map(|_| ())
    })
    .await;
}

#[tokio::test]
async fn work_whose_caller_goes_away_breaks_nothing() {
    const ROUNDS: usize = 60;
    let directory = tempfile::tempdir().unwrap();
    let clock = Clock::manual(1_800_000_000_000);
    let path = directory.path().join("deskbell.db");
    let store = SqliteStore::open_with_clock(&path, clock.clone()).await.unwrap();
    register(&store).await;
    let token = store.next_fencing_token(ROUTER).await.unwrap();
    for round in 0..ROUNDS {
        store.append(&[event(&format!("msg_{round}"))]).await.unwrap();
        let from = store.destinations().await.unwrap()[0].routed;
        let to = store.head().await.unwrap();
        let destinations = vec!["hook".into()];
        let deliveries = pending(from.get() + 1..=to.get());
        let batch =
            RoutedBatch { token, from, to, destinations, deliveries, filtered_out: Vec::new() };
        begin_and_drop(store.route(&batch), round % 20).await;
        begin_and_drop(claim(&store), round % 7).await;
        let claimed = claim(&store).await.unwrap();
        begin_and_drop(store.settle("hook", &delivered(&claimed)), round % 20).await;
        clock.advance(Duration::from_secs(60));
    }
    let at = store.destinations().await.unwrap()[0].routed;
    store.enqueue(&pending(at.get() + 1..=60)).await.unwrap();
    let claimed = claim(&store).await.unwrap();
    assert_eq!(store.settle("hook", &delivered(&claimed)).await.unwrap(), 0);
    assert_eq!(store.backlogs().await.unwrap()[0].pending, 0);
    assert_eq!(store.missing(&keys(1..=60)).await.unwrap(), [], "each is settled");
    clock.advance(Duration::from_secs(60));
    assert_eq!(claim(&store).await.unwrap().len(), 0);
}

fn keys(seqs: std::ops::RangeInclusive<i64>) -> Vec<DeliveryKey> {
    pending(seqs).into_iter().map(|delivery| delivery.key).collect()
}
