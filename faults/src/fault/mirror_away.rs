//! A mirror whose database takes no connections while a replica starts: the replica starts.

use std::time::Duration;

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use tokio::time::sleep;

use super::injected::{Injected, milliseconds, says, shown};
use crate::error::FaultError;
use crate::test_cluster::TestCluster;

/// A replica that starts is ready after this, whatever is wrong with its mirror: it waits for the
/// database for 3 s.
const READY_TIME_MAX: Duration = Duration::from_secs(15);

pub(super) async fn mirror_away(
    cluster: &mut TestCluster<'_>,
    random: &mut ChaCha8Rng,
) -> Result<Injected, FaultError> {
    let victim = random.random_range(0..cluster.replicas.len());
    let away = milliseconds(random, 1_000..6_000);
    let mirror = cluster.mirror_database().to_owned();
    cluster.server.allow_connections(&mirror, false).await?;
    let replica = &mut cluster.replicas[victim];
    replica.kill().await?;
    replica.start_again()?;
    let mut wrong = Vec::new();
    if !says(&cluster.client, &cluster.replicas[victim], true, READY_TIME_MAX).await {
        wrong.push("it did not start while the mirror's database was away".to_owned());
    }
    sleep(away).await;
    cluster.server.allow_connections(&mirror, true).await?;
    let name = cluster.replicas[victim].name();
    Ok(Injected { what: format!("{name}, and {} more", shown(away)), wrong })
}
