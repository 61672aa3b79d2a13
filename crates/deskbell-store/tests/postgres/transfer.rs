//! A log moves from SQLite to PostgreSQL, whole, also in several tries.

use std::path::{Path, PathBuf};
use std::time::Duration;

use deskbell_store::conformance::{event, events};
use deskbell_store::deliveries::{
    AttemptRecord, Claim, DeadLetterQuery, DeliveryKey, DeliveryQueue, Destinations, FilteredOut,
    NewDelivery, Ordering, ROUTER, Registration, RoutedBatch, Routing, Settlement, StartFrom,
    Verdict,
};
use deskbell_store::{
    AccessToken, AccessTokens, AuditLog, BrowserSessions, Command, EventHeads, EventLog, Leases,
    NewAuditEntry, NewBrowserSession, NewEvent, NewToken, PostgresOpenError, PostgresOptions,
    PostgresStore, ReadLimit, Seq, SqliteOpenError, SqliteStore, Store, StoredEndpoint,
    StoredEndpoints, TokenRole, TransferError, transfer,
};
use tempfile::TempDir;
use testkit::PostgresDatabase;

const EVENTS: usize = 1_200;

/// A log with something of everything, closed again.
async fn fill(directory: &TempDir) -> PathBuf {
    let path = directory.path().join("deskbell.db");
    let store = SqliteStore::open(&path).await.unwrap().index_user_refs().await.unwrap();
    let strange = NewEvent {
        event_type: "user.\0strange".to_owned(),
        subject: None,
        instance_id: None,
        payload: b"\0\xff\n\"ada@example.com\"".as_slice().into(),
        ..event("strange")
    };
    let mut ordinary = events("msg", EVENTS);
    ordinary[7].event_type = "user.deleted".to_owned();
    store.append(&[ordinary, vec![strange, event("msg_1")]].concat()).await.unwrap();
    for (name, ordering) in [("crm", Ordering::None), ("audit", Ordering::Subject)] {
        let registration =
            Registration { name: name.to_owned(), from: StartFrom::Beginning, ordering };
        store.register(&registration).await.unwrap();
    }
    route_all(&store).await;
    settle_some(&store).await;
    administer(&store).await;
    store.close().await;
    SqliteStore::enqueue_command_at(&path, &Command("{\"enable\":\"crm\"}".to_owned()))
        .await
        .unwrap();
    path
}

/// Endpoints, entries of the audit log, a token and a session.
async fn administer(store: &SqliteStore) {
    let token = AccessToken::random();
    let (name, role, hash) = ("ops".to_owned(), TokenRole::Admin, token.hash());
    store.create_token(&NewToken { name: name.clone(), role, hash }).await.unwrap();
    for id in ["ep_1", "ep_2"] {
        let endpoint = StoredEndpoint {
            id: id.to_owned(),
            settings: "{\"url\":\"https://example.com\"}".to_owned(),
            sealed: vec![0, 1, 0xfe],
            created_at_ms: 0,
            updated_at_ms: 0,
            version: 0,
        };
        assert!(store.put_endpoint(&endpoint).await.unwrap());
        let (who, action, target) = (name.clone(), "endpoint.create".to_owned(), id.to_owned());
        let entry = NewAuditEntry { who, action, target, details: None };
        store.record_audit(&entry).await.unwrap();
    }
    assert!(store.delete_endpoint("ep_2").await.unwrap());
    let lifetime = Duration::from_secs(3_600);
    let session = NewBrowserSession { hash, token_name: name, role, idle_max: lifetime, lifetime };
    store.create_session(&session).await.unwrap();
    store.create_sign_in_code(&token.hash(), lifetime).await.unwrap();
}

async fn route_all(store: &SqliteStore) {
    let to = store.head().await.unwrap();
    let names = ["crm", "audit"].map(Into::into);
    let pending = |seq| {
        names.iter().map(move |name| NewDelivery {
            key: DeliveryKey { destination: std::sync::Arc::clone(name), seq: Seq::new(seq) },
            subject: Some(format!("user_{}", seq % 7)),
        })
    };
    let why =
        |name: &str| FilteredOut { destination: name.into(), reason: "not \"wanted\"".into() };
    let batch = RoutedBatch {
        token: store.next_fencing_token(ROUTER).await.unwrap(),
        from: Seq::ZERO,
        to,
        destinations: names.to_vec(),
        deliveries: (1..to.get()).flat_map(pending).collect(),
        filtered_out: vec![(to, vec![why("crm"), why("audit")])],
    };
    store.route(&batch).await.unwrap();
}

/// Delivers some, gives up on some, and leaves the rest.
async fn settle_some(store: &SqliteStore) {
    for destination in ["crm", "audit"] {
        let claimed = claim(store, destination, 300).await;
        let settlements: Vec<_> = claimed
            .iter()
            .enumerate()
            .map(|(number, claimed)| Settlement {
                claim: claimed.claim,
                attempt: Some(AttemptRecord {
                    ago: Duration::from_secs(2),
                    duration: Duration::from_millis(40),
                    status: Some(503),
                    error: Some("the receiver answered 503".to_owned()),
                    reply: vec![0, 1, 254].into(),
                }),
                verdict: match number % 3 {
                    0 => Verdict::Delivered,
                    1 => Verdict::Retry(Duration::from_secs(60)),
                    _ => Verdict::DeadLetter("refused".to_owned()),
                },
            })
            .collect();
        assert_eq!(store.settle(destination, &settlements).await.unwrap(), 0);
    }
}

async fn claim(
    store: &dyn DeliveryQueue,
    destination: &str,
    deliveries_max: u32,
) -> Vec<deskbell_store::deliveries::ClaimedDelivery> {
    let destination = destination.to_owned();
    let lease = Duration::from_secs(60);
    let claim = Claim { destination, deliveries_max, bytes_max: usize::MAX, lease };
    store.claim(&claim).await.unwrap().deliveries
}

/// All that can be asked of a store, as text.
async fn told(store: &dyn Store) -> String {
    let mut told = format!("{} {:?}\n", store.log_id(), store.head().await.unwrap());
    let mut after = Seq::ZERO;
    loop {
        let events = store.read(after, ReadLimit::default()).await.unwrap();
        let Some(last) = events.last() else { break };
        after = last.seq;
        for event in events {
            let deliveries = store.deliveries_of(event.seq).await.unwrap();
            let filtered_out = store.filtered_out(event.seq).await.unwrap();
            told += &format!("{event:?} {:?} {deliveries:?} {filtered_out:?}\n", event.payload);
        }
    }
    let query = DeadLetterQuery { limit: 10_000, ..DeadLetterQuery::default() };
    told += &format!("{:?}\n", store.dead_letters(&query).await.unwrap());
    told += &format!("{:?}\n", store.destinations().await.unwrap());
    told += &format!("{:?}\n", store.backlogs().await.unwrap());
    told += &format!("{:?}\n", store.replay_requests(0, 100).await.unwrap());
    told += &format!("{:?}\n", store.tokens().await.unwrap());
    told += &format!("{:?}\n", store.audit_entries(None, 100).await.unwrap());
    let (revision, endpoints) = store.stored_endpoints().await.unwrap();
    told += &format!("{revision} {endpoints:?} {}\n", store.duplicates().await.unwrap());
    told += &endpoints
        .iter()
        .map(|one| format!("{} {:?}\n", one.settings, one.sealed))
        .collect::<String>();
    told + &format!("{:?}\n", store.next_command(None).await.unwrap())
}

async fn told_by_source(path: &Path) -> String {
    let store = SqliteStore::open_to_read(path).await.unwrap();
    let told = told(&store).await;
    store.close().await;
    // PostgreSQL takes no NUL in a text.
    told.replace("user.\\0strange", "user.\u{fffd}strange")
}

#[tokio::test]
async fn everything_arrives_and_goes_on() {
    let (directory, database) = (TempDir::new().unwrap(), PostgresDatabase::new().await);
    let path = fill(&directory).await;
    let options = PostgresOptions::new(database.url());
    let transferred = transfer(&path, &options, |_| {}).await.unwrap();
    let rows = |name| transferred.tables.iter().find(|(table, _)| *table == name).unwrap().1;
    assert_eq!((rows("events"), rows("replay_requests")), (EVENTS as u64 + 1, 1));
    assert_eq!((rows("event_people"), rows("erasures")), (1, 1));
    assert!(rows("deliveries") > 0 && rows("settled_deliveries") > 0 && rows("attempts") > 0);

    let store = PostgresStore::open(&options).await.unwrap();
    pretty_equal(&told(&store).await, &told_by_source(&path).await);
    let appended = store.append(&[event("msg_1"), event("next")]).await.unwrap();
    assert_eq!(appended.iter().map(|one| one.seq().get()).collect::<Vec<_>>(), [2, 1_202]);
    assert_eq!(store.replay_requests(1, 10).await.unwrap()[0].number, 2, "numbers go on");
    assert_eq!(store.next_fencing_token(ROUTER).await.unwrap().get(), 2, "tokens go on");
    assert!(!claim(&store, "crm", 10).await.is_empty(), "what is due can be claimed");
    let entry = store.audit_entries(None, 1).await.unwrap().remove(0);
    store.record_audit(&entry.entry).await.unwrap();
    let next = store.audit_entries(None, 1).await.unwrap().remove(0);
    assert_eq!(next.number, entry.number + 1, "numbers go on");
    store.close().await;
}

/// The router passes over requests whose numbers it has seen.
#[tokio::test]
async fn numbers_go_on_also_where_the_last_rows_are_gone() {
    let (directory, database) = (TempDir::new().unwrap(), PostgresDatabase::new().await);
    let path = fill(&directory).await;
    let url = format!("sqlite://{}", path.display());
    let pool = sqlx::SqlitePool::connect(&url).await.unwrap();
    let prune = "UPDATE router SET replayed_number = 1; DELETE FROM replay_requests";
    sqlx::raw_sql(prune).execute(&pool).await.unwrap();
    pool.close().await;
    let options = PostgresOptions::new(database.url());
    transfer(&path, &options, |_| {}).await.unwrap();
    let store = PostgresStore::open(&options).await.unwrap();
    assert_eq!(store.duplicates().await.unwrap(), 1);
    store.append(&[event("msg_2")]).await.unwrap();
    assert_eq!(store.replay_requests(0, 10).await.unwrap()[0].number, 2);
    store.close().await;
}

fn pretty_equal(found: &str, expected: &str) {
    for (found, expected) in found.lines().zip(expected.lines()) {
        assert_eq!(found, expected);
    }
    assert_eq!(found.lines().count(), expected.lines().count());
}

#[tokio::test]
async fn a_transfer_that_was_cut_off_goes_on_and_nobody_else_opens_the_store_meanwhile() {
    let (directory, database) = (TempDir::new().unwrap(), PostgresDatabase::new().await);
    let path = fill(&directory).await;
    let options = PostgresOptions::new(database.url());
    for rows in [500, 1_100, 1_900] {
        let reached = tokio::sync::Notify::new();
        let cut_off = transfer(&path, &options, |progress| {
            if progress.rows >= rows {
                reached.notify_one();
            }
        });
        tokio::select! {
            biased;
            () = reached.notified() => {}
            ended = cut_off => panic!("{ended:?}"),
        }
        let refused = PostgresStore::open(&options).await.unwrap_err();
        assert!(matches!(refused, PostgresOpenError::Unfinished { .. }), "{refused:?}");
        assert!(refused.to_string().contains("deskbell store migrate"), "{refused}");
    }
    transfer(&path, &options, |_| {}).await.unwrap();
    let store = PostgresStore::open(&options).await.unwrap();
    pretty_equal(&told(&store).await, &told_by_source(&path).await);
    store.close().await;
}

#[tokio::test]
async fn a_row_that_differs_is_found() {
    let (directory, database) = (TempDir::new().unwrap(), PostgresDatabase::new().await);
    let path = fill(&directory).await;
    let options = PostgresOptions::new(database.url());
    let reached = tokio::sync::Notify::new();
    let cut_off = transfer(&path, &options, |progress| {
        if progress.rows >= 500 {
            reached.notify_one();
        }
    });
    tokio::select! {
        biased;
        () = reached.notified() => {}
        ended = cut_off => panic!("{ended:?}"),
    }
    database.run("UPDATE deskbell.events SET payload = 'forged' WHERE seq = 3").await;
    let differs = transfer(&path, &options, |_| {}).await.unwrap_err();
    assert!(matches!(differs, TransferError::Differs { table: "events", .. }), "{differs:?}");
    let refused = PostgresStore::open(&options).await.unwrap_err();
    assert!(matches!(refused, PostgresOpenError::Unfinished { .. }), "{refused:?}");
}

#[tokio::test]
async fn a_store_in_use_is_not_written_to() {
    let (directory, database) = (TempDir::new().unwrap(), PostgresDatabase::new().await);
    let path = fill(&directory).await;
    let options = PostgresOptions::new(database.url());
    let other = PostgresStore::open(&options).await.unwrap();
    other.append(&[event("other")]).await.unwrap();
    let refused = transfer(&path, &options, |_| {}).await.unwrap_err();
    assert!(matches!(refused, TransferError::NotEmpty), "{refused:?}");
    assert_eq!(other.head().await.unwrap(), Seq::new(1));
    other.close().await;
}

#[tokio::test]
async fn a_log_that_is_served_or_missing_is_not_read() {
    let (directory, database) = (TempDir::new().unwrap(), PostgresDatabase::new().await);
    let path = fill(&directory).await;
    let options = PostgresOptions::new(database.url());
    let serving = SqliteStore::open(&path).await.unwrap();
    let refused = transfer(&path, &options, |_| {}).await.unwrap_err();
    assert!(matches!(refused, TransferError::Source(SqliteOpenError::InUse { .. })), "{refused:?}");
    serving.close().await;
    let missing = directory.path().join("missing.db");
    let refused = transfer(&missing, &options, |_| {}).await.unwrap_err();
    assert!(
        matches!(refused, TransferError::Source(SqliteOpenError::Missing { .. })),
        "{refused:?}"
    );
    assert!(!missing.exists());
}

/// A table that is added to the store and forgotten here would be lost.
#[tokio::test]
async fn every_table_is_transferred() {
    let (directory, database) = (TempDir::new().unwrap(), PostgresDatabase::new().await);
    let path = fill(&directory).await;
    let options = PostgresOptions::new(database.url());
    let transferred = transfer(&path, &options, |_| {}).await.unwrap();
    let mut names: Vec<_> = transferred.tables.iter().map(|(name, _)| (*name).to_owned()).collect();
    names.push("log".to_owned());
    // Filled again from the events.
    names.extend(["event_subjects", "subject_index"].map(str::to_owned));
    // Begun again.
    names.extend(["browser_sessions", "sign_in_codes"].map(str::to_owned));
    names.sort();
    let url = format!("sqlite://{}", path.display());
    let pool = sqlx::SqlitePool::connect(&url).await.unwrap();
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY 1",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    assert_eq!(names, tables);
}
