//! What must hold once everything has settled, looked at from outside.

use std::collections::{HashMap, HashSet};

use deskbell_sim::drift;

use crate::error::FaultError;
use crate::load::Loaded;
use crate::test_cluster::TestCluster;

/// Of many that are wrong in the same way, so many are named.
const NAMED_MAX: usize = 3;

/// What came to the receiver more than once.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    /// Deliveries that were accepted again.
    pub(crate) redeliveries: usize,
    /// Deliveries that were given up.
    pub(crate) dead_lettered: usize,
    pub(crate) wrong: Vec<String>,
}

/// Looks at the log, the mirror, the deliveries and the receiver.
pub(crate) async fn check(
    cluster: &TestCluster<'_>,
    loaded: &Loaded,
) -> Result<Findings, FaultError> {
    let mut findings = Findings::default();
    let wrong = &mut findings.wrong;
    note(wrong, "events were given up by the sender", &loaded.unacked);
    let acked = cluster.ledger.acked();
    let events = check_log(cluster, &acked, wrong).await?;
    let differences = drift(&loaded.truth, &cluster.mirror().await?);
    let shown: Vec<String> = differences.iter().map(ToString::to_string).collect();
    note(wrong, "rows of the mirror differ from the truth", &shown);
    let dead_lettered: HashSet<String> = cluster.store.dead_lettered().await?.into_iter().collect();
    findings.dead_lettered = dead_lettered.len();
    let settled = cluster.store.settled().await?;
    if usize::try_from(settled).ok() != Some(events) {
        wrong.push(format!("{settled} deliveries of {events} events have ended"));
    }
    let noted = cluster.inbox.noted();
    note(wrong, "requests came to the receiver that should not", &noted.wrong);
    let is_missing =
        |id: &&String| !noted.accepted.contains_key(*id) && !dead_lettered.contains(*id);
    let missing: Vec<String> = acked.iter().filter(is_missing).cloned().collect();
    note(wrong, "acked events never came to the receiver", &missing);
    findings.redeliveries = noted.accepted.values().map(|times| times - 1).sum();
    Ok(findings)
}

/// Every acked event once, unchanged, and nothing that was never sent. Returns how many events there are.
async fn check_log(
    cluster: &TestCluster<'_>,
    acked: &HashSet<String>,
    wrong: &mut Vec<String>,
) -> Result<usize, FaultError> {
    let events = cluster.store.events().await?;
    let mut times: HashMap<&str, usize> = HashMap::new();
    let (mut strange, mut changed) = (Vec::new(), Vec::new());
    for event in &events {
        *times.entry(&event.message_id).or_default() += 1;
        match cluster.ledger.sent(&event.message_id) {
            Some(body) if body == event.payload => {}
            Some(_) => changed.push(event.message_id.clone()),
            None => strange.push(event.message_id.clone()),
        }
    }
    let lost: Vec<String> =
        acked.iter().filter(|id| !times.contains_key(id.as_str())).cloned().collect();
    let twice: Vec<String> = times
        .iter()
        .filter(|(_, times)| **times > 1)
        .map(|(id, times)| format!("{id} ({times} times)"))
        .collect();
    note(wrong, "acked events are not in the log", &lost);
    note(wrong, "events are in the log more than once", &twice);
    note(wrong, "events in the log were never sent", &strange);
    note(wrong, "events in the log have another payload", &changed);
    Ok(events.len())
}

/// Looks at the processes and stops them.
pub(crate) async fn check_and_stop(
    cluster: &mut TestCluster<'_>,
) -> Result<Vec<String>, FaultError> {
    let mut wrong = Vec::new();
    for replica in &mut cluster.replicas {
        wrong.extend(replica.stop().await?);
        wrong.extend(replica.panic()?);
    }
    Ok(wrong)
}

fn note(wrong: &mut Vec<String>, what: &str, examples: &[String]) {
    if examples.is_empty() {
        return;
    }
    let named = examples.iter().take(NAMED_MAX).map(String::as_str).collect::<Vec<_>>().join(", ");
    let more = if examples.len() > NAMED_MAX { ", …" } else { "" };
    wrong.push(format!("{} {what}: {named}{more}", examples.len()));
}
