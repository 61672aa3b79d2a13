//! Compressed payloads: from when every replica can read them, and never before one that cannot.

use deskbell_store::conformance::event;
use deskbell_store::{EventLog, NewEvent, PostgresStore, ReadLimit, Seq, Store};
use sqlx::{PgConnection, Row};
use testkit::PostgresDatabase;

/// The store as the release before left it, a moment after it was migrated.
const JUST_MIGRATED: &str = "UPDATE deskbell.log SET packs_since_ms = NULL;
    UPDATE deskbell.migrations SET migrated_at = migrated_at - interval '1 day' WHERE version < 22;
    DELETE FROM deskbell.replicas";
const LONG_AGO: &str = "UPDATE deskbell.migrations SET migrated_at = migrated_at - interval '61 s'";
const LAST_SEEN_LONG_AGO: &str = "UPDATE deskbell.replicas SET seen_at_ms = seen_at_ms - 61000";
/// How the release before this one asks for a lease, whether it gets it or not.
const OLD_RELEASE: &str = "INSERT INTO deskbell.consumers AS c (name, token, holder, held_until_ms)
    VALUES ('router', 0, 'old', deskbell.now_ms() + 3000)
    ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, held_until_ms = excluded.held_until_ms
    WHERE c.holder IS NULL OR c.holder = excluded.holder OR c.held_until_ms <= deskbell.now_ms()";

fn large(message_id: &str) -> NewEvent {
    let payload = format!(r#"{{"data":{{"id":"{message_id}","text":"{}"}}}}"#, "sage ".repeat(300));
    NewEvent { payload: payload.into(), ..event(message_id) }
}

async fn is_packed(connection: &mut PgConnection, seq: i64) -> bool {
    let asked = "SELECT payload_bytes, octet_length(payload) FROM deskbell.events WHERE seq = $1";
    let row = sqlx::query(asked).bind(seq).fetch_one(connection).await.unwrap();
    let (length, stored): (Option<i32>, i32) = (row.get(0), row.get(1));
    length.inspect(|length| assert!(*length > stored)).is_some()
}

async fn append(store: &PostgresStore, message_id: &str) {
    store.append(&[large(message_id)]).await.unwrap();
}

#[tokio::test]
async fn a_new_store_has_them_at_once() {
    let database = PostgresDatabase::new().await;
    let store = database.open().await;
    append(&store, "msg_1").await;
    assert!(is_packed(&mut database.connection().await, 1).await);
    store.close().await;
}

#[tokio::test]
async fn a_store_from_before_has_them_once_the_last_old_replica_is_gone() {
    let database = PostgresDatabase::new().await;
    database.open().await.close().await;
    database.run(JUST_MIGRATED).await;
    let connection = &mut database.connection().await;
    // It may be there and not have been seen yet.
    let first = database.open().await;
    append(&first, "msg_1").await;
    // Each in one transaction: the replicas' heartbeats find it there.
    database.run(&format!("{OLD_RELEASE}; {LONG_AGO}")).await;
    let second = database.open().await;
    append(&second, "msg_2").await;
    database.run(&format!("{LAST_SEEN_LONG_AGO}; {OLD_RELEASE}")).await;
    let third = database.open().await;
    append(&third, "msg_3").await;
    for seq in 1..=3 {
        assert!(!is_packed(connection, seq).await, "event {seq}, while it is there");
    }
    database.run(LAST_SEEN_LONG_AGO).await;
    let fourth = database.open().await;
    append(&fourth, "msg_4").await;
    assert!(is_packed(connection, 4).await);
    // Whichever replica reads, and however it is stored.
    let expected: Vec<_> = (1..=4).map(|n| large(&format!("msg_{n}"))).collect();
    for store in [&first, &fourth] {
        let read = store.read(Seq::ZERO, ReadLimit::default()).await.unwrap();
        let read: Vec<NewEvent> = read.into_iter().map(|stored| stored.event).collect();
        assert_eq!(read, expected);
    }
}

#[tokio::test]
async fn a_replica_that_cannot_read_them_is_told_so() {
    let database = PostgresDatabase::new().await;
    let store = database.open().await;
    append(&store, "msg_1").await;
    let connection = &mut database.connection().await;
    for old in [
        OLD_RELEASE,
        "SELECT * FROM deskbell.claim_v2(NULL, 'hook', 10, 1000, 1000)",
        "SELECT * FROM deskbell.about_v2('user_1', NULL, 20, 1000000, 10000)",
    ] {
        let error = sqlx::raw_sql(old).execute(&mut *connection).await.unwrap_err();
        let error = error.as_database_error().unwrap();
        assert_eq!(error.code().as_deref(), Some("55000"));
        assert!(error.message().contains("start the newer release"), "{}", error.message());
    }
    store.close().await;
}
