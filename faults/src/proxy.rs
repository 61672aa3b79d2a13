//! A TCP proxy before a server, which can lose the connections, delay them, and swallow what they carry.

use std::future::pending;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

const CHUNK_BYTES: usize = 64 << 10;
/// Chunks on the way in one direction; at it, no more is read.
const CHUNKS_MAX: usize = 256;

/// What the proxy does with connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Pass,
    /// It ends all there are, and every new one at once.
    Cut,
    /// It carries each byte so much later, in both directions.
    Delay(Duration),
    /// What they carry vanishes, and nobody is told. A connection that was open meanwhile stays like that for good:
    /// its other end hears no word of what becomes of this one.
    Swallow,
}

/// A proxy on a port of this machine. Dropped, it is gone with all its connections.
#[derive(Debug)]
pub(crate) struct Proxy {
    address: SocketAddr,
    mode: watch::Sender<Mode>,
    _tasks: JoinSet<()>,
}

impl Proxy {
    /// Listens, and carries connections to the server.
    pub(crate) async fn start(server: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (mode, modes) = watch::channel(Mode::Pass);
        let tasks = JoinSet::from_iter([accept(listener, server, modes)]);
        Ok(Self { address, mode, _tasks: tasks })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn set(&self, mode: Mode) {
        self.mode.send_replace(mode);
    }
}

async fn accept(listener: TcpListener, server: SocketAddr, modes: watch::Receiver<Mode>) {
    let mut connections = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        connections.spawn(connection(client, server, modes.clone()));
        while connections.try_join_next().is_some() {}
    }
}

async fn connection(client: TcpStream, server: SocketAddr, modes: watch::Receiver<Mode>) {
    let mode = *modes.borrow();
    if mode == Mode::Cut {
        return;
    }
    if mode == Mode::Swallow {
        let (mut from_client, _to_client) = client.into_split();
        drain(&mut from_client).await;
        return;
    }
    let Ok(server) = TcpStream::connect(server).await else { return };
    // What the two sides would have between them without a proxy.
    let _ = client.set_nodelay(true).and_then(|()| server.set_nodelay(true));
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let mut cut = modes.clone();
    tokio::select! {
        _ = cut.wait_for(|&mode| mode == Mode::Cut) => {}
        () = both(
            carry(from_client, to_server, modes.clone()),
            carry(from_server, to_client, modes),
        ) => {}
    }
}

/// Both directions; where one has failed, the other one ends with it.
async fn both(
    up: impl Future<Output = io::Result<()>>,
    down: impl Future<Output = io::Result<()>>,
) {
    let _ = tokio::try_join!(up, down);
}

/// One direction: the reader notes when each chunk is due, the writer waits for it.
async fn carry(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut modes: watch::Receiver<Mode>,
) -> io::Result<()> {
    let (sender, mut chunks) = mpsc::channel::<(Instant, Vec<u8>)>(CHUNKS_MAX);
    let mut swallowing = modes.clone();
    let read = async {
        let mut buffer = vec![0; CHUNK_BYTES];
        loop {
            let bytes = from.read(&mut buffer).await?;
            let delay = match *modes.borrow_and_update() {
                Mode::Delay(delay) => delay,
                _ => Duration::ZERO,
            };
            // The writer is there as long as this is: both end together.
            let chunk = (Instant::now() + delay, buffer[..bytes].to_vec());
            if sender.send(chunk).await.is_err() || bytes == 0 {
                return Ok::<(), io::Error>(());
            }
        }
    };
    let write = async {
        while let Some((due, chunk)) = chunks.recv().await {
            sleep_until(due).await;
            if chunk.is_empty() {
                return to.shutdown().await;
            }
            to.write_all(&chunk).await?;
        }
        Ok(())
    };
    let carried = tokio::select! {
        carried = async { tokio::try_join!(read, write) } => Some(carried),
        _ = swallowing.wait_for(|&mode| mode == Mode::Swallow) => None,
    };
    match carried {
        Some(carried) => carried.map(|_| ()),
        None => {
            drain(&mut from).await;
            pending().await
        }
    }
}

/// Reads what comes, so that the one who writes does not notice.
async fn drain(from: &mut OwnedReadHalf) {
    let mut buffer = vec![0; CHUNK_BYTES];
    while from.read(&mut buffer).await.is_ok_and(|bytes| bytes > 0) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Longer than anything here takes; and how long silence is listened to.
    const PATIENCE: Duration = Duration::from_secs(10);
    const SILENCE: Duration = Duration::from_millis(300);

    /// A server that says everything back.
    async fn echo() -> (SocketAddr, JoinSet<()>) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let echoing = async move {
            let mut connections = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                connections.spawn(async move {
                    let (mut from, mut to) = stream.into_split();
                    let _ = tokio::io::copy(&mut from, &mut to).await;
                });
            }
        };
        (address, JoinSet::from_iter([echoing]))
    }

    async fn ask(stream: &mut TcpStream) -> io::Result<bool> {
        stream.write_all(b"word").await?;
        let mut word = [0; 4];
        tokio::time::timeout(PATIENCE, stream.read_exact(&mut word)).await.unwrap()?;
        Ok(&word == b"word")
    }

    async fn is_silent(stream: &mut TcpStream) -> bool {
        stream.write_all(b"word").await.unwrap();
        tokio::time::timeout(SILENCE, stream.read(&mut [0; 4])).await.is_err()
    }

    #[tokio::test]
    async fn it_carries_and_cuts_and_carries_again() {
        let (server, _echo) = echo().await;
        let proxy = Proxy::start(server).await.unwrap();
        let mut first = TcpStream::connect(proxy.address()).await.unwrap();
        assert!(ask(&mut first).await.unwrap());
        proxy.set(Mode::Cut);
        assert_eq!(first.read(&mut [0; 4]).await.unwrap_or(0), 0, "it has ended");
        let mut second = TcpStream::connect(proxy.address()).await.unwrap();
        assert_eq!(second.read(&mut [0; 4]).await.unwrap_or(0), 0, "it ends at once");
        proxy.set(Mode::Pass);
        let mut third = TcpStream::connect(proxy.address()).await.unwrap();
        assert!(ask(&mut third).await.unwrap());
    }

    #[tokio::test]
    async fn a_delay_is_on_both_ways_and_not_added_up() {
        let (server, _echo) = echo().await;
        let proxy = Proxy::start(server).await.unwrap();
        let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
        proxy.set(Mode::Delay(Duration::from_millis(100)));
        let started = Instant::now();
        assert!(ask(&mut stream).await.unwrap());
        assert!(started.elapsed() >= Duration::from_millis(200), "{:?}", started.elapsed());
        let started = Instant::now();
        for _ in 0..20 {
            stream.write_all(b"word").await.unwrap();
        }
        stream.read_exact(&mut [0; 80]).await.unwrap();
        assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    }

    #[tokio::test]
    async fn what_was_swallowed_once_stays_silent_and_new_connections_are_carried() {
        let (server, _echo) = echo().await;
        let proxy = Proxy::start(server).await.unwrap();
        let mut before = TcpStream::connect(proxy.address()).await.unwrap();
        assert!(ask(&mut before).await.unwrap());
        proxy.set(Mode::Swallow);
        assert!(is_silent(&mut before).await);
        let mut meanwhile = TcpStream::connect(proxy.address()).await.unwrap();
        assert!(is_silent(&mut meanwhile).await);
        proxy.set(Mode::Pass);
        assert!(is_silent(&mut before).await);
        assert!(is_silent(&mut meanwhile).await);
        let mut after = TcpStream::connect(proxy.address()).await.unwrap();
        assert!(ask(&mut after).await.unwrap());
    }
}
