//! A log that nobody reads any more: a service goes on without it.

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use tokio::time::sleep;

use super::injected::{Injected, SEEN_TIME_MAX, milliseconds, shown};
use crate::error::FaultError;
use crate::load::{send_by_hand, send_nonsense};
use crate::test_cluster::TestCluster;

/// Requests that the replica warns of; each of them was the end of a connection once.
const WARNINGS: u32 = 20;

pub(super) async fn stderr_gone(
    cluster: &mut TestCluster<'_>,
    random: &mut ChaCha8Rng,
) -> Result<Injected, FaultError> {
    let victim = random.random_range(0..cluster.replicas.len());
    let gone = milliseconds(random, 1_000..6_000);
    let replica = &mut cluster.replicas[victim];
    replica.kill().await?;
    let reader = replica.start_again_with_a_reader()?;
    cluster.become_ready(SEEN_TIME_MAX).await?;
    reader.end().await?;
    let mut wrong = Vec::new();
    let host = cluster.replicas[victim].address().to_string();
    for number in 0..WARNINGS {
        let id = format!("msg_stderr_{number}");
        if send_nonsense(&cluster.client, &host, &id).await? != Some(400) {
            wrong.push("a request that is warned of was not answered with 400".to_owned());
            break;
        }
    }
    sleep(gone).await;
    let id = "msg_stderr_event".to_owned();
    let answer = send_by_hand(&cluster.client, &host, id, &cluster.ledger).await?;
    if answer.is_none_or(|answer| answer.status != 200) {
        wrong.push(format!("an event was answered with {answer:?} once the log had no reader"));
    }
    let replica = &mut cluster.replicas[victim];
    wrong.extend(replica.stop().await?);
    replica.start_again()?;
    Ok(Injected { what: format!("{} for {}", replica.name(), shown(gone)), wrong })
}
