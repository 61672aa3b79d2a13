//! The event log in PostgreSQL: several processes over it, commands beside them, and moving there.

use std::path::Path;

use deskbell_sim::receiver::{Receiver, Reply};
use deskbell_sim::{Message, Scenario, World};
use sqlx::{Connection, PgConnection};
use tempfile::TempDir;
use testkit::PostgresDatabase;

use super::support::{
    ENDPOINT_SECRET, Serving, destination_at, directory, http_client, mirror_at, run, send, within,
};

/// Events before one of two processes is killed, and after.
const PART: usize = 150;

fn config(directory: &Path, database: &PostgresDatabase, receiver: &Receiver) {
    let url = database.url();
    let config = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\n\n[store]\nurl = \"{url}\"\nconnections_max = 6\n\n\
         [[destination]]\nname = \"mirror\"\ntype = \"database\"\nurl = \"{url}\"\n\n\
         [[destination]]\nname = \"receiver\"\ntype = \"http\"\nurl = \"{}\"\n\
         secret = \"{ENDPOINT_SECRET}\"\nallow_hosts = [\"127.0.0.1\"]\n",
        receiver.url()
    );
    std::fs::write(directory.join("deskbell.toml"), config).unwrap();
}

fn messages(count: usize) -> Vec<Message> {
    World::new(&Scenario::new(7, count)).collect()
}

async fn count(database: &PostgresDatabase, sql: &'static str) -> i64 {
    let mut connection = PgConnection::connect(&database.url()).await.unwrap();
    sqlx::query_scalar(sql).fetch_one(&mut connection).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_serve_one_log_and_when_one_is_killed_the_other_takes_over() {
    let (database, directory) = (PostgresDatabase::with_owner().await, TempDir::new().unwrap());
    let receiver = Receiver::start(|_| Reply::Status(200)).await.unwrap();
    config(directory.path(), &database, &receiver);
    let first = Serving::start(directory.path()).await;
    let second = Serving::start(directory.path()).await;
    let (http, messages) = (http_client(), messages(2 * PART));
    for (number, message) in messages[..PART].iter().enumerate() {
        let to = if number % 2 == 0 { &first } else { &second };
        assert_eq!(send(&http, &to.url(), message).await, Some(200));
        // The same again, at the other one.
        let to = if number % 2 == 0 { &second } else { &first };
        assert_eq!(send(&http, &to.url(), message).await, Some(200));
    }
    // It routes and mirrors, as it came first.
    first.kill().await;
    for message in &messages[PART..] {
        assert_eq!(send(&http, &second.url(), message).await, Some(200));
    }
    let head = i64::try_from(2 * PART).unwrap();
    destination_at(&database.url(), "mirror", head).await;
    // What the killed one had claimed comes when its lease ends; all else at once.
    within(receiver.wait_for(2 * PART - 2 * 16)).await;
    assert_eq!(count(&database, "SELECT count(*) FROM deskbell.events").await, head);
    let distinct = "SELECT count(DISTINCT message_id) FROM deskbell.events";
    assert_eq!(count(&database, distinct).await, head);
    commands_work(directory.path(), &database, &messages[0], &receiver).await;
    let (code, _) = second.terminate().await;
    assert_eq!(code, 0);
}

/// Beside a process that serves.
async fn commands_work(
    directory: &Path,
    database: &PostgresDatabase,
    message: &Message,
    receiver: &Receiver,
) {
    let shown = run(directory, &["--json", "events", "show", &message.id]).await;
    assert_eq!(shown.code, 0, "{}", shown.stderr);
    assert!(shown.stdout.contains("receiver"), "{}", shown.stdout);
    let before = receiver.count();
    let replayed = run(directory, &["replay", &message.id]).await;
    assert_eq!(replayed.code, 0, "{}", replayed.stderr);
    within(receiver.wait_for(before + 1)).await;
    let orders = "SELECT count(*) FROM deskbell.orders WHERE outcome IS NOT NULL";
    assert_eq!(count(database, orders).await, 1, "the process that serves did it");
    let listed = run(directory, &["destinations"]).await;
    assert!(listed.stdout.contains("receiver"), "{}{}", listed.stdout, listed.stderr);
    let backup = run(directory, &["store", "backup", "copy.db"]).await;
    assert_eq!(backup.code, 2);
    assert!(backup.stderr.contains("pg_dump"), "{}", backup.stderr);
    assert!(!backup.stderr.contains(PostgresDatabase::PASSWORD), "{}", backup.stderr);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_moves_to_postgresql_and_its_mirror_goes_on() {
    let (database, directory) = (PostgresDatabase::with_owner().await, directory());
    let path = directory.path();
    let (http, messages) = (http_client(), messages(2 * PART));
    let serving = Serving::start(path).await;
    for message in &messages[..PART] {
        assert_eq!(send(&http, &serving.url(), message).await, Some(200));
    }
    mirror_at(path, i64::try_from(PART).unwrap()).await;
    let url = database.url();
    let arguments = ["--json", "store", "migrate", "--from", "sqlite://deskbell.db", "--to", &url];
    let refused = run(path, &arguments).await;
    assert_eq!(refused.code, 1);
    assert!(refused.stderr.contains("in use by another deskbell process"), "{}", refused.stderr);
    assert_eq!(serving.terminate().await.0, 0);

    let moved = run(path, &arguments).await;
    assert_eq!(moved.code, 0, "{}", moved.stderr);
    let moved: serde_json::Value = serde_json::from_str(&moved.stdout).unwrap();
    assert_eq!(moved["rows"]["events"], PART);
    let config = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\n[store]\nurl = \"{url}\"\n\
         [[destination]]\nname = \"mirror\"\ntype = \"database\"\nurl = \"sqlite://clerk.db\"\n"
    );
    std::fs::write(path.join("deskbell.toml"), config).unwrap();
    let serving = Serving::start(path).await;
    for message in &messages[PART - 1..] {
        assert_eq!(send(&http, &serving.url(), message).await, Some(200));
    }
    mirror_at(path, i64::try_from(2 * PART).unwrap()).await;
    let (code, said) = serving.terminate().await;
    assert_eq!(code, 0);
    let again = said.iter().any(|line| line.contains("reads the log again"));
    assert!(!again, "it is the same log: {said:#?}");
}

#[tokio::test]
async fn what_cannot_be_moved_is_said() {
    let directory = TempDir::new().unwrap();
    let cases = [
        (["sqlite://a.db", "sqlite://b.db"], 2, "expected --from with a sqlite:// URL"),
        (["mysql://app:hunter2@db/app", "postgres://db/app"], 2, "--from: `mysql:`"),
        (
            ["sqlite://missing.db", "postgres://127.0.0.1:1/app"],
            1,
            "no event log found at missing.db",
        ),
    ];
    for ([from, to], code, text) in cases {
        let ran = run(directory.path(), &["store", "migrate", "--from", from, "--to", to]).await;
        assert_eq!(ran.code, code, "{}", ran.stderr);
        assert!(ran.stderr.contains(text), "{}", ran.stderr);
        assert!(!ran.stderr.contains("hunter2"), "{}", ran.stderr);
    }
    assert!(!directory.path().join("missing.db").exists());
}
