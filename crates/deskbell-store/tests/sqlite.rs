//! The conformance suite on SQLite, and what is particular to a file.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use std::time::Duration;

use async_trait::async_trait;
use deskbell_store::conformance::{Backend, event, events};
use deskbell_store::retention::PruneOptions;
use deskbell_store::{
    Appended, Clock, Command, CommandId, EventLog, LogHandle, LogWriter, LogWriterOptions,
    NewEvent, ReadLimit, Retention, Seq, SqliteOpenError, SqliteStore, Store, SubjectIndex,
    SubmitError, conformance_tests,
};
use sqlx::{Connection, SqliteConnection};
use tempfile::TempDir;

/// What the clock says when a test begins.
const START_MS: i64 = 1_800_000_000_000;

/// Stores in a directory of their own, which goes with the backend.
struct Sqlite {
    directory: TempDir,
    paths: Mutex<Vec<(String, PathBuf)>>,
    clock: Clock,
}

impl Sqlite {
    fn new() -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
            paths: Mutex::default(),
            clock: Clock::manual(START_MS),
        }
    }
}

impl Sqlite {
    fn path(&self, store: &dyn Store) -> PathBuf {
        let id = store.log_id().to_string();
        let paths = self.paths.lock().unwrap();
        paths.iter().find(|(known, _)| *known == id).unwrap().1.clone()
    }
}

#[async_trait]
impl Backend for Sqlite {
    async fn create(&self) -> Arc<dyn Store> {
        let count = self.paths.lock().unwrap().len();
        let path = self.directory.path().join(format!("{count}.db"));
        let store = SqliteStore::open_with_clock(&path, self.clock.clone()).await.unwrap();
        self.paths.lock().unwrap().push((store.log_id().to_string(), path));
        Arc::new(store)
    }

    async fn create_indexing_user_refs(&self) -> Arc<dyn Store> {
        let path = self.directory.path().join("people.db");
        let store = SqliteStore::open_with_clock(&path, self.clock.clone()).await.unwrap();
        Arc::new(store.index_user_refs().await.unwrap())
    }

    async fn reopen(&self, store: Arc<dyn Store>) -> Arc<dyn Store> {
        store.close().await;
        let path = self.path(&*store);
        Arc::new(SqliteStore::open_with_clock(&path, self.clock.clone()).await.unwrap())
    }

    fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    async fn enqueue_command(&self, store: &dyn Store, command: &Command) -> CommandId {
        SqliteStore::enqueue_command_at(&self.path(store), command).await.unwrap()
    }
}

conformance_tests!(Sqlite::new());

async fn connect(path: &Path) -> SqliteConnection {
    SqliteConnection::connect(&format!("sqlite://{}?mode=rwc", path.display())).await.unwrap()
}

#[tokio::test]
async fn sqlite_is_recent_enough() {
    let directory = tempfile::tempdir().unwrap();
    let mut connection = connect(&directory.path().join("any.db")).await;
    let version: String =
        sqlx::query_scalar("SELECT sqlite_version()").fetch_one(&mut connection).await.unwrap();
    let numbers: Vec<u32> = version.split('.').map(|part| part.parse().unwrap()).collect();
    assert!(numbers >= vec![3, 51, 3], "{version} can corrupt a write-ahead log when it resets it");
}

#[tokio::test]
async fn a_second_process_is_refused_and_told_why() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("deskbell.db");
    let first = SqliteStore::open(&path).await.unwrap();
    let refused = SqliteStore::open(&path).await.unwrap_err();
    assert!(matches!(refused, SqliteOpenError::InUse { .. }), "{refused}");
    assert!(refused.to_string().contains("deskbell.db is in use"), "{refused}");
    first.close().await;
    SqliteStore::open(&path).await.unwrap();
}

#[tokio::test]
async fn a_database_of_somebody_else_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("app.db");
    let mut connection = connect(&path).await;
    sqlx::raw_sql("CREATE TABLE events (id)").execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    let before = std::fs::read(&path).unwrap();
    let refused = SqliteStore::open(&path).await.unwrap_err();
    assert!(matches!(refused, SqliteOpenError::NotAStore { .. }), "{refused}");
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[tokio::test]
async fn a_newer_store_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("deskbell.db");
    SqliteStore::open(&path).await.unwrap().close().await;
    let mut connection = connect(&path).await;
    sqlx::raw_sql("PRAGMA user_version = 999").execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    let refused = SqliteStore::open(&path).await.unwrap_err();
    assert!(matches!(refused, SqliteOpenError::Newer { found: 999, .. }), "{refused}");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("notes.txt");
    std::fs::write(&path, "not a database, and long enough to be looked at by SQLite as one")
        .unwrap();
    let refused = SqliteStore::open(&path).await.unwrap_err();
    assert!(matches!(refused, SqliteOpenError::Database { .. }), "{refused}");
    assert!(std::fs::read_to_string(&path).unwrap().starts_with("not a database"));
}

#[tokio::test]
async fn a_missing_directory_is_an_error_that_names_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("no/such/deskbell.db");
    let refused = SqliteStore::open(&path).await.unwrap_err();
    assert!(refused.to_string().contains("no/such/deskbell.db"), "{refused}");
}

#[tokio::test]
async fn a_store_that_cannot_be_written_recovers_by_itself() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("deskbell.db");
    let store = SqliteStore::open(&path).await.unwrap();
    store.append(&events("before", 3)).await.unwrap();
    let mut other = connect(&path).await;
    sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
    store.append(&[event("during")]).await.unwrap_err();
    store.check_writable().await.unwrap_err();
    sqlx::raw_sql("ROLLBACK").execute(&mut other).await.unwrap();
    assert_eq!(store.append(&[event("during")]).await.unwrap(), [Appended::New(Seq::new(4))]);
    store.check_writable().await.unwrap();
}

#[tokio::test]
async fn a_damaged_payload_is_an_error_that_names_the_event() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("deskbell.db");
    let store = SqliteStore::open(&path).await.unwrap();
    let long = NewEvent { payload: vec![b' '; 1_000].into(), ..event("a") };
    store.append(&[event("b"), long]).await.unwrap();
    let damage = "UPDATE events SET payload_bytes = payload_bytes - 1 WHERE seq = 2";
    sqlx::raw_sql(damage).execute(&mut connect(&path).await).await.unwrap();
    let error = store.find("clerk", "a").await.unwrap_err();
    let mut causes = vec![error.to_string()];
    let mut error: &dyn Error = &error;
    while let Some(source) = error.source() {
        causes.push(source.to_string());
        error = source;
    }
    assert!(causes.iter().any(|cause| cause.contains("payload of event 2")), "{causes:?}");
    assert!(store.find("clerk", "b").await.unwrap().is_some());
}

#[tokio::test]
async fn numbers_are_not_given_out_again_after_pruning() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("deskbell.db");
    let store = SqliteStore::open(&path).await.unwrap();
    store.append(&events("a", 3)).await.unwrap();
    store.close().await;
    let mut connection = connect(&path).await;
    sqlx::raw_sql("DELETE FROM events").execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    let store = SqliteStore::open(&path).await.unwrap();
    assert_eq!(store.head().await.unwrap(), Seq::new(3));
    assert_eq!(store.append(&[event("b")]).await.unwrap(), [Appended::New(Seq::new(4))]);
}

#[tokio::test]
async fn an_event_takes_its_row_of_the_index_along() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("deskbell.db");
    let clock = Clock::manual(START_MS);
    let store = SqliteStore::open_with_clock(&path, clock.clone()).await.unwrap();
    store.append(&events("old", 30)).await.unwrap();
    clock.advance(Duration::from_secs(2_000));
    store.append(&events("new", 2)).await.unwrap();
    store.index_subjects(40).await.unwrap();
    let age = Duration::from_secs(1_000);
    let pruning = PruneOptions {
        payloads: age,
        events: age,
        attempts: age,
        commands: age,
        one_time_codes: age,
        destinations: Vec::new(),
        external_checkpoint: None,
        rows_max: 100,
    };
    assert_eq!(store.prune(&pruning).await.unwrap().events, 30);
    store.close().await;
    let left: Vec<i64> = sqlx::query_scalar("SELECT seq FROM event_subjects ORDER BY seq")
        .fetch_all(&mut connect(&path).await)
        .await
        .unwrap();
    assert_eq!(left, [31, 32]);
}

#[tokio::test]
async fn an_append_whose_caller_goes_away_breaks_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&directory.path().join("deskbell.db")).await.unwrap();
    for round in 0..50 {
        let batch = events(&format!("dropped_{round}"), 3);
        let append = store.append(&batch);
        // Polled a few times and dropped: somewhere between the first statement and the commit.
        let mut append = Box::pin(append);
        for _ in 0..round % 5 {
            let _ = futures_util::poll!(&mut append);
            tokio::task::yield_now().await;
        }
        drop(append);
        let kept = event(&format!("kept_{round}"));
        assert!(matches!(store.append(&[kept]).await.unwrap()[..], [Appended::New(_)]), "{round}");
    }
    let mut checkpoint = Seq::ZERO;
    for event in store.read(Seq::ZERO, ReadLimit::default()).await.unwrap() {
        assert_eq!(event.seq, checkpoint.next());
        checkpoint = event.seq;
    }
    assert_eq!(store.head().await.unwrap(), checkpoint);
}

#[tokio::test]
async fn what_waits_is_committed_together_and_answered_one_by_one() {
    let directory = tempfile::tempdir().unwrap();
    let store: Arc<dyn EventLog> =
        Arc::new(SqliteStore::open(&directory.path().join("deskbell.db")).await.unwrap());
    let (writer, log) = LogWriter::new(Arc::clone(&store), &LogWriterOptions::default());
    let mut appends = tokio::task::JoinSet::new();
    for event in events("a", 100).into_iter().chain(events("a", 10)) {
        let log = log.clone();
        appends.spawn(async move { log.append(event).await.unwrap() });
    }
    drop(log);
    let (appended, ()) = tokio::join!(appends.join_all(), writer.run());
    let new = appended.iter().filter(|one| one.duplicate_of().is_none()).count();
    assert_eq!((new, appended.len()), (100, 110));
}

/// The writer of a new log, where so many bytes may wait.
async fn writer_with_room(bytes: u32) -> (TempDir, LogWriter, LogHandle) {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&directory.path().join("deskbell.db")).await.unwrap();
    let options = LogWriterOptions { queue_bytes_max: bytes, ..LogWriterOptions::default() };
    let (writer, log) = LogWriter::new(Arc::new(store), &options);
    (directory, writer, log)
}

#[tokio::test]
async fn a_writer_with_too_much_waiting_refuses_and_takes_nothing() {
    let (_directory, writer, log) = writer_with_room(100).await;
    let large = NewEvent { payload: vec![b'x'; 60].into(), ..event("first") };
    let first = log.clone();
    let first_event = large.clone();
    let mut waiting = Box::pin(async move { first.append(first_event).await });
    assert!(futures_util::poll!(&mut waiting).is_pending());
    let second = NewEvent { message_id: "second".into(), ..large };
    assert!(matches!(log.append(second.clone()).await, Err(SubmitError::Overloaded)));
    let later = async move {
        waiting.await.unwrap();
        log.append(second).await.unwrap()
    };
    let (appended, ()) = tokio::join!(later, writer.run());
    assert_eq!(appended, Appended::New(Seq::new(2)), "room is given back with the answer");
}

#[tokio::test]
async fn what_a_payload_is_compressed_to_takes_room_too() {
    let (_directory, writer, log) = writer_with_room(1_000).await;
    let of = |bytes| NewEvent { payload: vec![b'x'; bytes].into(), ..event("a") };
    assert!(matches!(log.append(of(1_000)).await, Err(SubmitError::Overloaded)));
    let (appended, ()) = tokio::join!(async move { log.append(of(900)).await }, writer.run());
    assert_eq!(appended.unwrap(), Appended::New(Seq::new(1)));
}
