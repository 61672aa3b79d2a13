//! A log that nobody reads any more: a service goes on without it.

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use tokio::time::sleep;

use super::{Done, milliseconds, shown};
use crate::error::FaultError;
use crate::load::{send_by_hand, send_nonsense};
use crate::site::Site;

/// Requests that the replica warns of; each of them was the end of a connection once.
const WARNINGS: u32 = 20;

pub(super) async fn stderr_gone(
    site: &mut Site<'_>,
    random: &mut ChaCha8Rng,
) -> Result<Done, FaultError> {
    let victim = random.random_range(0..site.replicas.len());
    let gone = milliseconds(random, 1_000..6_000);
    let replica = &mut site.replicas[victim];
    replica.kill().await?;
    let reader = replica.start_again_with_a_reader()?;
    site.become_ready(super::SEEN_TIME_MAX).await?;
    reader.end().await?;
    let mut wrong = Vec::new();
    let host = site.replicas[victim].address().to_string();
    for number in 0..WARNINGS {
        let id = format!("msg_stderr_{number}");
        if send_nonsense(&site.client, &host, &id).await? != Some(400) {
            wrong.push("a request that is warned of was not answered with 400".to_owned());
            break;
        }
    }
    sleep(gone).await;
    let id = "msg_stderr_event".to_owned();
    let answer = send_by_hand(&site.client, &host, id, &site.ledger).await?;
    if answer.is_none_or(|answer| answer.status != 200) {
        wrong.push(format!("an event was answered with {answer:?} once the log had no reader"));
    }
    let replica = &mut site.replicas[victim];
    wrong.extend(replica.stop().await?);
    replica.start_again()?;
    Ok(Done { what: format!("{} for {}", replica.name(), shown(gone)), wrong })
}
