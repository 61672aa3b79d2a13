//! A plain TCP balancer before the replicas: round robin over those that say they are ready.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use reqwest::Client;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, timeout};

/// Between two looks at a replica.
const LOOK_INTERVAL: Duration = Duration::from_millis(250);
/// How long a replica may take to be connected to.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// A balancer on a port of this machine. Dropped, it is gone with all its connections.
#[derive(Debug)]
pub(crate) struct Balancer {
    address: SocketAddr,
    _tasks: JoinSet<()>,
}

#[derive(Debug)]
struct Backend {
    address: SocketAddr,
    ready: watch::Sender<bool>,
}

impl Balancer {
    /// Listens. Whether a replica is ready is asked of its `/readyz` with this client.
    pub(crate) async fn start(replicas: &[SocketAddr], client: &Client) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let backend = |&address: &SocketAddr| Backend { address, ready: watch::Sender::new(true) };
        let backends: Arc<[Backend]> = replicas.iter().map(backend).collect();
        let mut tasks = JoinSet::new();
        for number in 0..backends.len() {
            tasks.spawn(watch_backend(Arc::clone(&backends), number, client.clone()));
        }
        tasks.spawn(accept(listener, backends));
        Ok(Self { address, _tasks: tasks })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

/// Asks a replica again and again.
async fn watch_backend(backends: Arc<[Backend]>, number: usize, client: Client) {
    let Backend { address, ready } = &backends[number];
    let mut look = interval(LOOK_INTERVAL);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        look.tick().await;
        let is_ready = is_ready(&client, *address).await;
        ready.send_if_modified(|was| std::mem::replace(was, is_ready) != is_ready);
    }
}

/// Whether the replica at this address says that it is ready.
pub(crate) async fn is_ready(client: &Client, address: SocketAddr) -> bool {
    readiness(client, address).await == Some(true)
}

/// What the replica at this address says: ready or not; `None` where it does not answer.
pub(crate) async fn readiness(client: &Client, address: SocketAddr) -> Option<bool> {
    let reply = client.get(format!("http://{address}/readyz")).send().await.ok()?;
    Some(reply.status().is_success())
}

async fn accept(listener: TcpListener, backends: Arc<[Backend]>) {
    let next = Arc::new(AtomicUsize::new(0));
    let mut connections = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        let first = next.fetch_add(1, Ordering::Relaxed);
        connections.spawn(connection(client, Arc::clone(&backends), first));
        while connections.try_join_next().is_some() {}
    }
}

/// Carries a connection until one side ends it, or the replica is no longer ready: what is under way then is lost, as
/// with the balancers that people have.
async fn connection(mut client: TcpStream, backends: Arc<[Backend]>, first: usize) {
    for number in order(&backends, first) {
        let Backend { address, ready } = &backends[number];
        let mut ready = ready.subscribe();
        let was_ready = *ready.borrow_and_update();
        let Ok(Ok(mut server)) = timeout(CONNECT_TIMEOUT, TcpStream::connect(*address)).await
        else {
            continue;
        };
        let _ = client.set_nodelay(true).and_then(|()| server.set_nodelay(true));
        let lost = async {
            // One that was not ready is used where none is: its answer is what the sender shall get.
            let over =
                if was_ready { ready.wait_for(|&ready| !ready).await.is_ok() } else { false };
            if !over {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            _ = copy_bidirectional(&mut client, &mut server) => {}
            () = lost => {}
        }
        return;
    }
}

/// The replicas in the order in which they are tried: those that are ready, from this one on, then the others.
fn order(backends: &[Backend], first: usize) -> Vec<usize> {
    let mut order: Vec<usize> =
        (0..backends.len()).map(|offset| (first + offset) % backends.len()).collect();
    order.sort_by_key(|&number| !*backends[number].ready.borrow());
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    fn backends(ready: &[bool]) -> Vec<Backend> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 1));
        let backend = |&ready| Backend { address, ready: watch::Sender::new(ready) };
        ready.iter().map(backend).collect()
    }

    #[test]
    fn replicas_take_turns_and_those_that_are_not_ready_come_last() {
        for (ready, first, expected) in [
            ([true, true, true], 0, [0, 1, 2]),
            ([true, true, true], 4, [1, 2, 0]),
            ([false, true, true], 0, [1, 2, 0]),
            ([true, false, true], 1, [2, 0, 1]),
            ([false, false, false], 2, [2, 0, 1]),
        ] {
            assert_eq!(order(&backends(&ready), first), expected, "{ready:?} {first}");
        }
    }
}
