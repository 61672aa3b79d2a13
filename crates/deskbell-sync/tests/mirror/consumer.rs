//! The consumer between a real log and a real mirror.

use std::sync::Arc;
use std::time::Duration;

use deskbell_store::{ReadLimit, Seq, SqliteStore, Store};
use deskbell_sync::inspect::MirrorReader;
use deskbell_sync::{
    DatabaseConfig, MirrorConsumer, MirrorOptions, Progress, SyncError, connect,
    left_out_by_default,
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::backend::Place;
use super::support::{deleted, membership, user};

/// A log in a file, and the place of a mirror.
pub(crate) struct World {
    directory: TempDir,
    pub(crate) place: Place,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) options: MirrorOptions,
}

impl World {
    pub(crate) async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store =
            Arc::new(SqliteStore::open(&directory.path().join("deskbell.db")).await.unwrap());
        let place = Place::new().await;
        let url = place.url();
        let batch = ReadLimit { events_max: 4, ..ReadLimit::default() };
        let options = MirrorOptions {
            batch,
            ..MirrorOptions::new("mirror", DatabaseConfig::at(url.parse().unwrap()))
        };
        Self { directory, place, store, options }
    }

    pub(crate) async fn append(&self, message_id: &str, event_type: &str, data: &Value) -> Seq {
        self.append_at(message_id, event_type, 1, data).await
    }

    pub(crate) async fn append_at(
        &self,
        message_id: &str,
        event_type: &str,
        occurred_at_ms: i64,
        data: &Value,
    ) -> Seq {
        self.append_text(message_id, event_type, occurred_at_ms, &data.to_string()).await
    }

    /// The same, with what stands in this text for `data`, as a JSON writer may not have it.
    pub(crate) async fn append_text(
        &self,
        message_id: &str,
        event_type: &str,
        occurred_at_ms: i64,
        data: &str,
    ) -> Seq {
        let body = format!(r#"{{"type":"{event_type}","data":{data}}}"#);
        let event =
            testkit::event(message_id, event_type).at(occurred_at_ms).body(body).new_event();
        self.store.append(&[event]).await.unwrap()[0].seq()
    }

    /// Appends as many new users, numbered from `from`.
    pub(crate) async fn append_users(&self, from: usize, count: usize) {
        for number in from..from + count {
            self.append(
                &format!("msg_{number}"),
                "user.created",
                &user(&format!("user_{number}"), 1),
            )
            .await;
        }
    }

    pub(crate) async fn consumer(&self) -> MirrorConsumer {
        let target = connect(&self.options).await.unwrap();
        MirrorConsumer::new(self.store.clone(), target, self.options.clone())
    }

    pub(crate) async fn reader(&self) -> MirrorReader {
        MirrorReader::open(&self.options.database.url).await.unwrap()
    }

    pub(crate) async fn users(&self) -> usize {
        self.reader().await.rows("users").await.unwrap().len()
    }

    pub(crate) async fn checkpoint(&self) -> Option<i64> {
        let checkpoint = self.reader().await.checkpoint("mirror").await.unwrap();
        checkpoint.map(|checkpoint| checkpoint.seq.get())
    }

    /// Goes on with a new, empty log.
    pub(crate) async fn replace_the_log(&mut self) {
        self.store.close().await;
        let path = self.directory.path().join("another.db");
        self.store = Arc::new(SqliteStore::open(&path).await.unwrap());
    }

    /// Takes the first event out of the log, as pruning does.
    pub(crate) async fn forget_the_first_event(&self) {
        let file = self.directory.path().join("deskbell.db");
        let pool = sqlx::SqlitePool::connect(&format!("sqlite://{}", file.display())).await;
        let delete = sqlx::query("DELETE FROM events WHERE seq = 1");
        delete.execute(&pool.unwrap()).await.unwrap();
    }

    /// Empties the payload of this event, as pruning does.
    pub(crate) async fn empty_the_payload(&self, seq: i64) {
        let file = self.directory.path().join("deskbell.db");
        let pool = sqlx::SqlitePool::connect(&format!("sqlite://{}", file.display())).await;
        let empty = sqlx::query("UPDATE events SET payload = x'' WHERE seq = ?1").bind(seq);
        empty.execute(&pool.unwrap()).await.unwrap();
    }

    /// Goes on with a copy of the log that was made by [`World::save`].
    pub(crate) async fn restore(&mut self, saved: &str) {
        self.store.close().await;
        let path = self.directory.path().join(saved);
        self.store = Arc::new(SqliteStore::open(&path).await.unwrap());
    }

    /// Copies the log as it is now.
    async fn save(&mut self, saved: &str) {
        self.store.close().await;
        let original = self.directory.path().join("deskbell.db");
        std::fs::copy(&original, self.directory.path().join(saved)).unwrap();
        self.store = Arc::new(SqliteStore::open(&original).await.unwrap());
    }
}

/// Runs until nothing is left; the number of events that were read.
pub(crate) async fn drain(consumer: &mut MirrorConsumer) -> u64 {
    let mut events = 0;
    loop {
        let progress = consumer.run_once().await.unwrap();
        events += progress.events;
        if !progress.more {
            return events;
        }
    }
}

#[tokio::test]
async fn the_log_is_applied_in_batches_up_to_its_head() {
    let world = World::new().await;
    world.append_users(0, 9).await;
    let mut consumer = world.consumer().await;
    let progress = consumer.run_once().await.unwrap();
    assert_eq!(
        progress,
        Progress { seq: Seq::new(4), events: 4, rows_written: 4, dead_letters: 0, more: true }
    );
    assert_eq!(drain(&mut consumer).await, 5);
    assert_eq!(world.users().await, 9);
    assert_eq!(world.checkpoint().await, Some(9));
    assert_eq!(consumer.run_once().await.unwrap().events, 0);
}

#[tokio::test]
async fn a_consumer_claims_its_name_once() {
    let world = World::new().await;
    let mut consumer = world.consumer().await;
    for number in 0..3 {
        drain(&mut consumer).await;
        world.append_users(number, 1).await;
        drain(&mut consumer).await;
    }
    assert_eq!(world.store.next_fencing_token("sync:mirror").await.unwrap().get(), 2);
}

#[tokio::test]
async fn a_later_consumer_goes_on_from_the_checkpoint() {
    let world = World::new().await;
    world.append_users(0, 3).await;
    drain(&mut world.consumer().await).await;
    world.append_users(3, 2).await;
    assert_eq!(drain(&mut world.consumer().await).await, 2);
    assert_eq!(world.users().await, 5);
}

#[tokio::test]
async fn a_consumer_that_was_taken_over_writes_nothing() {
    let world = World::new().await;
    world.append_users(0, 1).await;
    let mut earlier = world.consumer().await;
    drain(&mut earlier).await;
    let mut later = world.consumer().await;
    drain(&mut later).await;
    world.append_users(1, 1).await;
    let error = earlier.run_once().await.unwrap_err();
    assert!(matches!(error, SyncError::Superseded { .. }), "{error:?}");
    assert_eq!(world.users().await, 1);
    assert_eq!(drain(&mut later).await, 1);
    assert_eq!(world.users().await, 2);
}

#[tokio::test]
async fn another_log_is_read_from_its_beginning() {
    let mut world = World::new().await;
    world.append_users(0, 3).await;
    drain(&mut world.consumer().await).await;
    world.restore("another.db").await;
    world.append_users(10, 2).await;
    assert_eq!(drain(&mut world.consumer().await).await, 2);
    assert_eq!(world.users().await, 5);
    assert_eq!(world.checkpoint().await, Some(2));
}

#[tokio::test]
async fn a_restored_log_that_ends_before_the_checkpoint_is_read_again() {
    let mut world = World::new().await;
    world.append_users(0, 2).await;
    world.save("copy.db").await;
    world.append_users(2, 2).await;
    drain(&mut world.consumer().await).await;
    world.restore("copy.db").await;
    assert_eq!(drain(&mut world.consumer().await).await, 2);
    assert_eq!(world.checkpoint().await, Some(2));
    assert_eq!(world.users().await, 4, "what was true before stays");
}

#[tokio::test]
async fn a_restored_log_with_another_message_at_the_checkpoint_is_read_again() {
    let mut world = World::new().await;
    let mut consumer = world.consumer().await;
    world.append_users(0, 2).await;
    drain(&mut consumer).await;
    world.save("copy.db").await;
    let mut consumer = world.consumer().await;
    world.append_users(2, 2).await;
    drain(&mut consumer).await;
    world.restore("copy.db").await;
    world.append_users(12, 3).await;
    // A consumer of the copy's own has claimed since, so the tokens do not give it away.
    for _ in 0..5 {
        world.store.next_fencing_token("sync:mirror").await.unwrap();
    }
    assert_eq!(drain(&mut world.consumer().await).await, 5);
    assert_eq!(world.users().await, 7);
}

#[tokio::test]
async fn a_restored_log_whose_tokens_went_back_is_read_again() {
    let mut world = World::new().await;
    world.append_users(0, 2).await;
    world.save("copy.db").await;
    for _ in 0..4 {
        drain(&mut world.consumer().await).await;
    }
    world.restore("copy.db").await;
    assert_eq!(drain(&mut world.consumer().await).await, 2);
    assert_eq!(drain(&mut world.consumer().await).await, 0, "and then goes on as ever");
}

#[tokio::test]
async fn other_columns_fill_the_rows_that_were_there() {
    let mut world = World::new().await;
    let data = json!({ "id": "user_1", "updated_at": 5, "private_metadata": { "a": 1 } });
    world.append("msg_1", "user.created", &data).await;
    drain(&mut world.consumer().await).await;
    let reader = world.reader().await;
    assert!(!reader.rows("users").await.unwrap()[0].contains_key("private_metadata"));
    world.options.database.include_columns = left_out_by_default();
    assert_eq!(drain(&mut world.consumer().await).await, 1);
    assert_eq!(reader.rows("users").await.unwrap()[0]["private_metadata"], json!({ "a": 1 }));
    assert_eq!(drain(&mut world.consumer().await).await, 0);
}

#[tokio::test]
async fn an_entity_that_is_mirrored_later_is_filled() {
    let mut world = World::new().await;
    world.append("msg_1", "user.created", &user("user_1", 1)).await;
    world.append("msg_2", "user.created", &user("user_2", 1)).await;
    world.append("msg_3", "user.deleted", &deleted("user", "user_2")).await;
    world.options.database.entities = Some(vec!["organization".to_owned()]);
    drain(&mut world.consumer().await).await;
    world.options.database.entities = None;
    drain(&mut world.consumer().await).await;
    assert_eq!(world.users().await, 1);
}

#[tokio::test]
async fn what_went_while_it_was_not_mirrored_is_gone_when_it_is_again() {
    let mut world = World::new().await;
    for number in 1..=2 {
        let id = format!("user_{number}");
        world.append(&format!("msg_{number}"), "user.created", &user(&id, 1)).await;
        let data = membership(&format!("orgmem_{number}"), "org_1", &id, 1);
        world.append(&format!("msg_m{number}"), "organizationMembership.created", &data).await;
    }
    drain(&mut world.consumer().await).await;
    world.options.database.entities = Some(vec!["organization".to_owned()]);
    world.append("msg_3", "user.deleted", &deleted("user", "user_1")).await;
    drain(&mut world.consumer().await).await;
    // A log that does not have the delete any more.
    world.restore("another.db").await;
    world.options.database.entities = None;
    drain(&mut world.consumer().await).await;
    let reader = world.reader().await;
    for (table, id) in [("users", "user_2"), ("organization_memberships", "orgmem_2")] {
        let rows = reader.rows(table).await.unwrap();
        assert_eq!(rows.iter().map(|row| &row["id"]).collect::<Vec<_>>(), [id], "{table}");
    }
}

#[tokio::test]
async fn what_cannot_be_applied_stops_nothing_behind_it() {
    let world = World::new().await;
    world.append("msg_1", "user.created", &json!([])).await;
    world.append("msg_2", "user.updated", &json!({ "id": 5 })).await;
    world.append("msg_3", "user.deleted", &json!({ "deleted": true })).await;
    world.append("msg_4", "user.created", &json!({ "id": "x".repeat(256) })).await;
    world.append_users(5, 1).await;
    let mut consumer = world.consumer().await;
    assert_eq!(consumer.run_once().await.unwrap().dead_letters, 4);
    drain(&mut consumer).await;
    assert_eq!(world.users().await, 1);
    let letters = world.reader().await.rows("_dead_letters").await.unwrap();
    let letters: Vec<_> = letters.iter().map(|row| (&row["message_id"], &row["reason"])).collect();
    assert_eq!(letters[0], (&json!("msg_1"), &json!("`data` is not an object")));
    assert_eq!(letters[1], (&json!("msg_2"), &json!("expected a string `id` in `data`")));
    assert_eq!(letters[2], (&json!("msg_3"), &json!("expected a string `id` in `data`")));
    assert_eq!(letters[3], (&json!("msg_4"), &json!("the `id` is longer than 255 bytes")));
}

#[tokio::test]
async fn running_follows_the_log_and_ends_when_told_to() {
    let mut world = World::new().await;
    world.options.poll_every = Duration::from_secs(3600);
    let consumer = world.consumer().await;
    let mut applied = consumer.applied();
    let shutdown = CancellationToken::new();
    let mut tasks = JoinSet::from_iter([consumer.run(shutdown.clone())]);
    for number in 0..3 {
        world.append_users(number * 5, 5).await;
        let head = world.store.head().await.unwrap();
        applied.wait_for(|seq| *seq == head).await.unwrap();
    }
    assert_eq!(world.users().await, 15);
    shutdown.cancel();
    tasks.join_next().await.unwrap().unwrap();
}
