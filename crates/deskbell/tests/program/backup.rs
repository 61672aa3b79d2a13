//! `deskbell store backup` under load, and what comes of restoring an old copy.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex};

use deskbell_sim::{Message, Scenario, World, drift};
use deskbell_store::{EventLog, ReadLimit, Seq, SqliteStore, Store};
use rand::Rng;
use serde_json::Value;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection, SqliteConnection};
use tokio::task::JoinSet;

use super::support::{Serving, directory, http_client, mirror_at, run, send};

/// Messages before the copy and under it, after it, and after it was restored.
const PART: usize = 300;
const SENDERS: usize = 8;

/// Sends these messages, a few at a time; `acked` grows by their ids.
async fn send_all(url: &str, messages: &[Message], acked: &Arc<Mutex<BTreeSet<String>>>) {
    let pending = Arc::new(Mutex::new(messages.to_vec()));
    let mut senders = JoinSet::new();
    for _ in 0..SENDERS {
        let (pending, acked, url) = (Arc::clone(&pending), Arc::clone(acked), url.to_owned());
        senders.spawn(async move {
            let http = http_client();
            loop {
                let Some(message) = pending.lock().unwrap().pop() else { return };
                assert_eq!(send(&http, &url, &message).await, Some(200));
                acked.lock().unwrap().insert(message.id);
            }
        });
    }
    for sender in senders.join_all().await {
        let () = sender;
    }
}

async fn ids(file: &Path) -> BTreeSet<String> {
    let store = SqliteStore::open_to_read(file).await.unwrap();
    let (mut ids, mut after) = (BTreeSet::new(), Seq::ZERO);
    loop {
        let events = store.read(after, ReadLimit::default()).await.unwrap();
        let Some(last) = events.last() else { break };
        after = last.seq;
        ids.extend(events.into_iter().map(|event| event.event.message_id));
    }
    store.close().await;
    ids
}

async fn integrity(file: &Path) -> String {
    let options = SqliteConnectOptions::new().filename(file).read_only(true);
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::query_scalar("PRAGMA integrity_check").fetch_one(&mut connection).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_old_copy_that_is_restored_ends_well() {
    let seed = rand::rng().random::<u64>();
    println!("seed {seed}");
    let directory = directory();
    let path = directory.path();
    let copy = path.join("copy.db");
    let mut world = World::new(&Scenario::new(seed, 3 * PART));
    let messages: Vec<Message> = world.by_ref().collect();
    let (before, after) = messages.split_at(PART);
    let (after, later) = after.split_at(PART);
    let serving = Serving::start(path).await;
    let url = serving.url();
    let acked = Arc::new(Mutex::new(BTreeSet::new()));
    send_all(&url, &before[..PART / 2], &acked).await;

    // Under load: what was acknowledged by now is in the copy, some of the rest may be.
    let had = acked.lock().unwrap().clone();
    let (ran, ()) = tokio::join!(
        run(path, &["--json", "store", "backup", "copy.db"]),
        send_all(&url, &before[PART / 2..], &acked)
    );
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let said: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(said["bytes"], std::fs::metadata(&copy).unwrap().len());
    assert_eq!(integrity(&copy).await, "ok");
    let kept = ids(&copy).await;
    assert_eq!(said["last_seq"], kept.len());
    assert!(had.is_subset(&kept), "seed {seed}");
    let again = run(path, &["store", "backup", "copy.db"]).await;
    assert_eq!(again.code, 1);
    assert!(again.stderr.contains("already exists"), "{}", again.stderr);

    // The mirror has more than the copy when that takes the log's place.
    send_all(&url, after, &acked).await;
    let sent = i64::try_from(acked.lock().unwrap().len()).unwrap();
    mirror_at(path, sent).await;
    assert_eq!(serving.terminate().await.0, 0);
    for end in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(path.join(format!("deskbell.db{end}")));
    }
    std::fs::rename(&copy, path.join("deskbell.db")).unwrap();
    let serving = Serving::start(path).await;
    let url = serving.url();
    send_all(&url, later, &acked).await;
    // What the copy lacks comes again, and what it has is known.
    send_all(&url, &messages, &acked).await;
    let head = i64::try_from(acked.lock().unwrap().len()).unwrap();
    let reader = mirror_at(path, head).await;
    let mut tables = deskbell_sim::Tables::new();
    for table in ["users", "organizations", "organization_memberships"] {
        let rows = reader.rows(&format!("clerk_{table}")).await.unwrap();
        tables.insert(table.to_owned(), rows);
    }
    assert_eq!(drift(&world.into_truth(), &tables), [], "seed {seed}");
    let (code, said) = serving.terminate().await;
    assert_eq!(code, 0);
    let noticed = said.iter().any(|line| line.contains("reads the log again from the beginning"));
    assert!(noticed, "{said:#?}");
    assert_eq!(ids(&path.join("deskbell.db")).await, *acked.lock().unwrap());
}

#[tokio::test]
async fn there_is_nothing_to_copy_where_there_is_no_log() {
    let directory = directory();
    let ran = run(directory.path(), &["store", "backup", "copy.db"]).await;
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("no event log found"), "{}", ran.stderr);
    assert!(!directory.path().join("copy.db").exists());
}
