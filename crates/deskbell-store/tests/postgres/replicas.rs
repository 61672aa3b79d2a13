//! Several replicas on one log: one order, each message once, everybody woken.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use deskbell_store::conformance::{event, events};
use deskbell_store::deliveries::Routing;
use deskbell_store::{EventLog, NewEvent, PostgresStore, ReadLimit, Seq};
use sqlx::Connection;
use testkit::PostgresDatabase;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// A commit that takes its time, for some messages: between its numbers and its end.
const SLOW_COMMITS: &str = "
    CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN PERFORM pg_sleep(0.02); RETURN NULL; END $$;
    CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON deskbell.events
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (new.message_id LIKE '%7')
    EXECUTE FUNCTION slow()";

const APPENDERS: usize = 4;
const EVENTS_EACH: usize = 60;

/// Reads on from the last event, until there are so many.
async fn follow(store: Arc<PostgresStore>, count: usize) -> Vec<(Seq, String)> {
    let limit = ReadLimit { events_max: 7, ..ReadLimit::default() };
    let mut head = store.subscribe();
    let mut read: Vec<(Seq, String)> = Vec::new();
    while read.len() < count {
        let after = read.last().map_or(Seq::ZERO, |(seq, _)| *seq);
        let batch = store.read(after, limit).await.unwrap();
        if batch.is_empty() {
            head.wait_for(|head| *head > after).await.unwrap();
        }
        for event in batch {
            let after = read.last().map_or(Seq::ZERO, |(seq, _)| *seq);
            assert_eq!(event.seq, after.next(), "no database is passed over");
            read.push((event.seq, event.event.message_id));
        }
    }
    read
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_miss_nothing_however_slow_a_commit_is() {
    let database = PostgresDatabase::new().await;
    let replicas = [database.open().await, database.open().await];
    database.run(SLOW_COMMITS).await;
    let count = 2 * APPENDERS * EVENTS_EACH;
    let mut readers = JoinSet::new();
    let mut appenders = JoinSet::new();
    for (replica, store) in replicas.iter().enumerate() {
        for _ in 0..2 {
            readers.spawn(follow(Arc::clone(store), count));
        }
        for appender in 0..APPENDERS {
            let store = Arc::clone(store);
            appenders.spawn(async move {
                for batch in events(&format!("{replica}_{appender}"), EVENTS_EACH).chunks(3) {
                    store.append(batch).await.unwrap();
                }
            });
        }
    }
    timeout(Duration::from_secs(120), appenders.join_all()).await.unwrap();
    let read = timeout(Duration::from_secs(20), readers.join_all()).await.unwrap();
    assert!(read.iter().all(|one| *one == read[0]), "everybody has the same order");
    assert_eq!(replicas[0].head().await.unwrap(), Seq::new(i64::try_from(count).unwrap()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_comes_to_both_is_stored_once() {
    let database = PostgresDatabase::new().await;
    let replicas = [database.open().await, database.open().await];
    let mut appenders = JoinSet::new();
    for store in replicas.iter().cycle().take(6) {
        let store = Arc::clone(store);
        appenders.spawn(async move {
            let mut outcomes = Vec::new();
            for batch in events("shared", 120).chunks(5) {
                outcomes.extend(store.append(batch).await.unwrap());
            }
            outcomes
        });
    }
    let outcomes: Vec<_> = appenders.join_all().await.into_iter().flatten().collect();
    let duplicates: Vec<Seq> =
        outcomes.iter().filter_map(deskbell_store::Appended::duplicate_of).collect();
    assert_eq!(outcomes.len() - duplicates.len(), 120, "each was new to one");
    assert_eq!(replicas[1].head().await.unwrap(), Seq::new(120));
    let mut requested = BTreeMap::<Seq, usize>::new();
    for request in replicas[0].replay_requests(0, 10_000).await.unwrap() {
        *requested.entry(request.seq).or_default() += 1;
    }
    assert_eq!(requested.values().sum::<usize>(), duplicates.len());
    assert!(requested.values().all(|count| *count == 5), "one a duplicate: {requested:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_waits_for_a_transaction_of_somebody_else() {
    let database = PostgresDatabase::new().await;
    let store = database.open().await;
    database.run("CREATE TABLE theirs (id bigint)").await;
    let mut theirs = database.connection().await;
    let mut long = theirs.begin().await.unwrap();
    sqlx::raw_sql("INSERT INTO theirs VALUES (1)").execute(&mut *long).await.unwrap();
    sqlx::raw_sql("SELECT count(*) FROM deskbell.events").execute(&mut *long).await.unwrap();
    let began = Instant::now();
    for n in 0..20 {
        store.append(&[event(&format!("msg_{n}"))]).await.unwrap();
        let read = store.read(Seq::new(n), ReadLimit::default()).await.unwrap();
        assert_eq!(read.len(), 1);
    }
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    long.rollback().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_append_wakes_the_readers_of_the_others() {
    let database = PostgresDatabase::new().await;
    let (one, other) = (database.open().await, database.open().await);
    let listening = "SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND query = 'LISTEN \"deskbell\"'";
    let deadline = Instant::now() + Duration::from_secs(10);
    while database.number(listening).await < 2 {
        assert!(Instant::now() < deadline, "both listen");
    }
    let mut fastest = Duration::MAX;
    for n in 0..5 {
        let mut head = other.subscribe();
        let appended = one.append(&[event(&format!("msg_{n}"))]).await.unwrap()[0].seq();
        let committed = Instant::now();
        head.wait_for(|head| *head >= appended).await.unwrap();
        fastest = fastest.min(committed.elapsed());
    }
    assert!(fastest < Duration::from_millis(400), "told, and not found by the poll: {fastest:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_was_cut_off_goes_on() {
    let database = PostgresDatabase::new().await;
    let store = database.open().await;
    store.append(&[event("before")]).await.unwrap();
    for round in 0..3 {
        database
            .run(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
                  WHERE datname = current_database() AND pid <> pg_backend_pid()",
            )
            .await;
        let mut failed = 0;
        for n in 0..6 {
            failed += usize::from(store.append(&[event(&format!("{round}_{n}"))]).await.is_err());
            failed += usize::from(store.read(Seq::ZERO, ReadLimit::default()).await.is_err());
        }
        assert!(failed <= 1, "round {round}: {failed} calls failed");
    }
    // It listens again, too.
    let other = database.open().await;
    let mut head = store.subscribe();
    let appended = other.append(&[event("after")]).await.unwrap()[0].seq();
    let woken = timeout(Duration::from_secs(5), head.wait_for(|head| *head >= appended));
    woken.await.unwrap().unwrap();
}

#[tokio::test]
async fn payloads_that_do_not_shrink_lie_as_they_are() {
    let database = PostgresDatabase::new().await;
    let store = database.open().await;
    let of = |bytes: usize| NewEvent {
        payload: (0..bytes).map(|_| rand::random::<u8>()).collect::<Vec<_>>().into(),
        ..event(&format!("msg_{bytes}"))
    };
    let toasted = "SELECT pg_relation_size(reltoastrelid) FROM pg_class
        WHERE oid = 'deskbell.events'::regclass";
    store.append(&[of(2_000), of(7_000)]).await.unwrap();
    assert_eq!(database.number(toasted).await, 0, "an ordinary one lies in its row");
    store.append(&[of(100_000)]).await.unwrap();
    assert!(database.number(toasted).await > 100_000, "a large one apart, and not compressed");
    let sizes = "SELECT min(pg_column_size(payload)::bigint - octet_length(payload))
        FROM deskbell.events";
    assert!(database.number(sizes).await >= 0);
    let read = store.read(Seq::ZERO, ReadLimit::default()).await.unwrap();
    assert!(read.iter().map(|event| event.payload.len()).eq([2_000, 7_000, 100_000]));
}

#[tokio::test]
async fn a_pruned_event_leaves_its_place() {
    let database = PostgresDatabase::new().await;
    let store = database.open().await;
    store.append(&events("a", 3)).await.unwrap();
    database.run("UPDATE deskbell.events SET payload = NULL WHERE seq = 1").await;
    assert!(store.read(Seq::ZERO, ReadLimit::default()).await.unwrap()[0].payload.is_empty());
    database.run("DELETE FROM deskbell.events").await;
    assert_eq!(store.head().await.unwrap(), Seq::new(3));
    assert_eq!(store.append(&[event("b")]).await.unwrap()[0].seq(), Seq::new(4));
}

#[tokio::test]
async fn a_nul_in_a_text_stops_nothing() {
    let database = PostgresDatabase::new().await;
    let store = database.open().await;
    let odd = NewEvent {
        event_type: "user\0".to_owned(),
        subject: Some("\0".to_owned()),
        ..event("odd")
    };
    store.append(&[event("even"), odd]).await.unwrap();
    let read = store.read(Seq::ZERO, ReadLimit::default()).await.unwrap();
    assert_eq!(
        (&*read[1].event_type, read[1].subject.as_deref()),
        ("user\u{fffd}", Some("\u{fffd}"))
    );
}

#[tokio::test]
async fn a_clock_that_is_wrong_is_said() {
    let database = PostgresDatabase::new().await;
    let store = database.open().await;
    store.check_writable().await.unwrap();
    assert!(store.clock_skew().await.unwrap().abs() < 5_000);
    database
        .run(
            "CREATE OR REPLACE FUNCTION deskbell.now_ms() RETURNS bigint LANGUAGE sql VOLATILE AS
              $$ SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint - 90000 $$",
        )
        .await;
    let refused = store.check_writable().await.unwrap_err();
    assert!(refused.to_string().contains("s behind this machine's"), "{refused}");
}
