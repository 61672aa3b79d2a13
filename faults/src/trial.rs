//! One trial: a test cluster under load, a fault at a moment that the seed says, and what came of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tokio::time::timeout;

use crate::checks::{self, Findings};
use crate::error::FaultError;
use crate::fault::{Fault, Injected};
use crate::load::Load;
use crate::report::Outcome;
use crate::server::Server;
use crate::test_cluster::{Plan, TestCluster};

/// Events a second, before duplicates and retries.
const EVENTS_PER_SECOND: f64 = 100.0;
/// The fault comes after so many acks, at a moment that the seed says.
const ACKS_BEFORE: std::ops::Range<u64> = 100..400;
/// Acks after everything is as it was: the load goes on beyond the fault.
const ACKS_AFTER: u64 = 100;
/// What all trials have in common.
#[derive(Debug)]
pub(crate) struct Trials<'a> {
    pub(crate) program: &'a Path,
    /// Logs of failed trials stay here.
    pub(crate) directory: &'a Path,
    pub(crate) faketime: Option<PathBuf>,
}

impl Trials<'_> {
    /// Tries a fault. Everything random comes of the seed.
    pub(crate) async fn run(
        &self,
        fault: Fault,
        seed: u64,
        server: &mut Server,
    ) -> Result<Outcome, FaultError> {
        let name = format!("{}_{seed}", fault.name().replace('-', "_"));
        let directory = self.directory.join(&name);
        if directory.exists() {
            fs::remove_dir_all(&directory)?;
        }
        let faketime = self.faketime.clone().filter(|_| fault == Fault::Clock);
        let plan = Plan {
            seed,
            backend: fault.backend(),
            program: self.program,
            directory: directory.clone(),
            faketime,
            name: format!("{name}_{:08x}", rand::rng().random::<u32>()),
        };
        let mut cluster = TestCluster::start(plan, server).await?;
        let outcome = run(fault, seed, &mut cluster).await?;
        drop(cluster);
        if outcome.wrong.is_empty() {
            fs::remove_dir_all(&directory)?;
        }
        Ok(outcome)
    }
}

async fn run(
    fault: Fault,
    seed: u64,
    cluster: &mut TestCluster<'_>,
) -> Result<Outcome, FaultError> {
    let load = Arc::new(Load::new(seed, EVENTS_PER_SECOND, Arc::clone(&cluster.ledger)));
    let host = cluster.balancer.address().to_string();
    let (loaded, recovery) =
        tokio::join!(Arc::clone(&load).run(&host), inject(fault, seed, cluster, &load));
    let (loaded, Recovery { injected, recovered, late }) = (loaded?, recovery?);
    let mut wrong = injected.wrong;
    wrong.extend(late);
    wrong.extend(cluster.settle(fault.recovery_time_max()).await?);
    let Findings { redeliveries, dead_lettered, wrong: found } =
        checks::check(cluster, &loaded).await?;
    wrong.extend(found);
    wrong.extend(checks::check_and_stop(cluster).await?);
    if redeliveries > 0 && !fault.may_redeliver() {
        wrong.push(format!("{redeliveries} deliveries were made again"));
    }
    Ok(Outcome {
        fault,
        seed,
        what: injected.what,
        acked: loaded.acked,
        duplicates: loaded.duplicates,
        retries: loaded.retries,
        redeliveries,
        dead_lettered,
        recovered,
        wrong,
        directory: cluster.directory.clone(),
    })
}

/// What came of the fault itself.
struct Recovery {
    injected: Injected,
    recovered: Option<Duration>,
    late: Option<String>,
}

/// Does it in the middle of the load, waits until it is overcome, and ends the load.
async fn inject(
    fault: Fault,
    seed: u64,
    cluster: &mut TestCluster<'_>,
    load: &Load,
) -> Result<Recovery, FaultError> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    load.acked_more(random.random_range(ACKS_BEFORE)).await;
    let recovery = async {
        let injected = fault.inject(cluster, &mut random).await?;
        let recovered = match cluster.recover(fault.recovery_time_max()).await {
            Ok(recovered) => recovered,
            Err(error) => {
                return Ok(Recovery { injected, recovered: None, late: Some(error.to_string()) });
            }
        };
        let late = match timeout(fault.recovery_time_max(), load.acked_more(ACKS_AFTER)).await {
            Ok(()) => None,
            Err(_) => Some(format!("{ACKS_AFTER} acks did not come after the fault")),
        };
        Ok(Recovery { injected, recovered: Some(recovered), late })
    };
    let recovery = recovery.await;
    // Also where it failed: nobody would ever stop the load.
    load.stop();
    recovery
}
