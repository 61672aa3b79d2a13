//! The files of a SQLite store moved away under a running process: it acknowledges nothing into files
//! that are not where the log is.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use tokio::time::{Instant, sleep};

use super::injected::{Injected, SEEN_TIME_MAX, milliseconds, says, shown};
use crate::error::FaultError;
use crate::load::send_by_hand;
use crate::store::Store;
use crate::test_cluster::TestCluster;

/// What follows the store's name in the names of its files.
const FILES: [&str; 3] = ["", "-wal", "-shm"];
/// Between two events that are sent by hand meanwhile.
const SEND_INTERVAL: Duration = Duration::from_millis(100);

pub(super) async fn log_moved(
    cluster: &mut TestCluster<'_>,
    random: &mut ChaCha8Rng,
) -> Result<Injected, FaultError> {
    let moved = milliseconds(random, 1_000..5_000);
    let Store::Sqlite(store) = &cluster.store else {
        return Ok(Injected {
            what: String::new(),
            wrong: vec!["the store is no file".to_owned()],
        });
    };
    let away = cluster.directory.join("moved");
    fs::create_dir_all(&away)?;
    let elsewhere = away.join("deskbell.db");
    move_files(store, &elsewhere)?;
    let mut wrong = Vec::new();
    let replica = &cluster.replicas[0];
    let host = replica.address().to_string();
    let (started, mut sent) = (Instant::now(), 0);
    while started.elapsed() < moved && wrong.is_empty() {
        sent += 1;
        let id = format!("msg_moved_{sent}");
        let answer = send_by_hand(&cluster.client, &host, id, &cluster.ledger).await?;
        if answer.is_none_or(|answer| answer.status != 503) {
            wrong.push(format!("an event was answered with {answer:?}, not with 503"));
        }
        sleep(SEND_INTERVAL).await;
    }
    if !says(&cluster.client, replica, false, SEEN_TIME_MAX).await {
        wrong.push("/readyz says ready although the log was moved".to_owned());
    }
    move_files(&elsewhere, store)?;
    if !says(&cluster.client, replica, true, SEEN_TIME_MAX).await {
        wrong.push("/readyz says not ready although the log is back".to_owned());
    }
    Ok(Injected { what: format!("for {}", shown(moved)), wrong })
}

fn move_files(from: &Path, to: &Path) -> Result<(), FaultError> {
    let file = |store: &Path, ending: &str| PathBuf::from(format!("{}{ending}", store.display()));
    for ending in FILES {
        fs::rename(file(from, ending), file(to, ending))?;
    }
    Ok(())
}
