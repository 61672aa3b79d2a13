//! Clients that ask and read no answer, more of them than a replica has room for: events and health are
//! answered all the same.

use std::net::SocketAddr;
use std::time::Duration;

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use super::injected::{Injected, milliseconds, shown};
use crate::balancer::readiness;
use crate::error::FaultError;
use crate::load::send_by_hand;
use crate::test_cluster::TestCluster;

/// More than a replica takes at once.
const CLIENTS: usize = 1_200;
/// How much each of them asks for: more answers than the system keeps for it.
const ASKED_BYTES: usize = 60_000;
/// How long one of them tries to ask.
const ASK_TIME_MAX: Duration = Duration::from_secs(5);
/// Files that are open at the same time, with those of everything else.
const FILES: u64 = 2_048;
/// Between two events that are sent by hand meanwhile.
const SEND_INTERVAL: Duration = Duration::from_millis(100);
/// An event is answered within this time, beside all of them on a machine that is busy.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(3);

pub(super) async fn never_reads(
    cluster: &mut TestCluster<'_>,
    random: &mut ChaCha8Rng,
) -> Result<Injected, FaultError> {
    let victim = random.random_range(0..cluster.replicas.len());
    let lasting = milliseconds(random, 4_000..8_000);
    let replica = &cluster.replicas[victim];
    let (address, host) = (replica.address(), replica.address().to_string());
    allow_more_files()?;
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        clients.spawn(ask(address));
    }
    let mut wrong = Vec::new();
    let (started, mut sent) = (Instant::now(), 0);
    while started.elapsed() < lasting && wrong.is_empty() {
        sent += 1;
        let id = format!("msg_unread_{sent}");
        let answer =
            timeout(ANSWER_TIME_MAX, send_by_hand(&cluster.client, &host, id, &cluster.ledger));
        let answer = answer.await.ok().transpose()?.flatten();
        if answer.is_none_or(|answer| answer.status != 200) {
            wrong.push("an event was not taken beside clients that read nothing".to_owned());
        }
        if readiness(&cluster.client, address).await != Some(true) {
            wrong.push("/readyz has no answer beside clients that read nothing".to_owned());
        }
        sleep(SEND_INTERVAL).await;
    }
    let what = format!("{CLIENTS} at {} for {}", replica.name(), shown(lasting));
    Ok(Injected { what, wrong })
}

/// Each client is a file of this process too.
fn allow_more_files() -> Result<(), FaultError> {
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_some_and(|current| current < FILES) {
        let raised = setrlimit(Resource::Nofile, Rlimit { current: Some(FILES), ..limit });
        raised.map_err(|error| FaultError::Io(error.into()))?;
    }
    Ok(())
}

/// Asks, and keeps the connection for as long as it is let.
async fn ask(address: SocketAddr) -> Option<TcpStream> {
    let request = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";
    let requests = request.repeat(ASKED_BYTES / request.len());
    let mut stream = TcpStream::connect(address).await.ok()?;
    // It fails where the connection is ended for it, and takes no more where nothing is read.
    let _ = timeout(ASK_TIME_MAX, stream.write_all(requests.as_bytes())).await;
    Some(stream)
}
