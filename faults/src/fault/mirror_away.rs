//! A mirror whose database takes no connections while a replica starts: the replica starts.

use std::time::Duration;

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use tokio::time::sleep;

use super::{Done, milliseconds, says, shown};
use crate::error::FaultError;
use crate::site::Site;

/// A replica that starts is ready after this, whatever is wrong with its mirror: it waits for the
/// database for 3 s.
const READY_TIME_MAX: Duration = Duration::from_secs(15);

pub(super) async fn mirror_away(
    site: &mut Site<'_>,
    random: &mut ChaCha8Rng,
) -> Result<Done, FaultError> {
    let victim = random.random_range(0..site.replicas.len());
    let away = milliseconds(random, 1_000..6_000);
    let mirror = site.mirror_database().to_owned();
    site.server.allow_connections(&mirror, false).await?;
    let replica = &mut site.replicas[victim];
    replica.kill().await?;
    replica.start_again()?;
    let mut wrong = Vec::new();
    if !says(&site.client, &site.replicas[victim], true, READY_TIME_MAX).await {
        wrong.push("it did not start while the mirror's database was away".to_owned());
    }
    sleep(away).await;
    site.server.allow_connections(&mirror, true).await?;
    let name = site.replicas[victim].name();
    Ok(Done { what: format!("{name}, and {} more", shown(away)), wrong })
}
