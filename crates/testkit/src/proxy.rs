//! A TCP proxy before a server, which can cut connections, delay them, hold them and swallow what they carry.

mod cuts;

use std::future::pending;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use cuts::{Allowance, Cuts, End};

const CHUNK_BYTES: usize = 64 << 10;
/// Chunks on the way in one direction; at the limit, no more is read.
const CHUNKS_MAX: usize = 256;

/// What the proxy does with connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// It carries them.
    Pass,
    /// It ends all existing ones, and every new one at once.
    Cut,
    /// It carries each byte this much later, in both directions.
    Delay(Duration),
    /// Nothing arrives until the mode changes; then everything does.
    Hold,
    /// What they carry vanishes, and neither end is told. A connection that was open meanwhile stays like that for good:
    /// the other end does not even see that it is closed.
    Swallow,
}

/// A proxy on a port of this machine. Dropping it ends all its connections.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    state: watch::Sender<State>,
    accepted: Arc<AtomicU32>,
    _tasks: JoinSet<()>,
}

/// The mode, and how often connections were cut and forgotten: a mode that lasts for no time still has its effect.
#[derive(Debug, Clone, Copy)]
struct State {
    mode: Mode,
    cut: u32,
    forgotten: u32,
}

impl Proxy {
    /// Listens, and carries connections to the server, `host:port`.
    ///
    /// # Errors
    /// When there is no port to listen on.
    pub async fn start(server: &str) -> io::Result<Self> {
        Self::listen(server, None).await
    }

    /// The same, but each connection is cut at random, from this seed.
    ///
    /// # Errors
    /// When there is no port to listen on.
    pub async fn cutting(server: &str, seed: u64) -> io::Result<Self> {
        Self::listen(server, Some(Cuts::new(seed))).await
    }

    async fn listen(server: &str, cuts: Option<Cuts>) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (state, states) = watch::channel(State { mode: Mode::Pass, cut: 0, forgotten: 0 });
        let accepted = Arc::<AtomicU32>::default();
        let accepting = accept(listener, server.to_owned(), states, cuts, Arc::clone(&accepted));
        Ok(Self { address, state, accepted, _tasks: JoinSet::from_iter([accepting]) })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many connections there have been.
    #[must_use]
    pub fn accepted(&self) -> u32 {
        self.accepted.load(Ordering::Relaxed)
    }

    /// Changes what it does, also with existing connections.
    pub fn set(&self, mode: Mode) {
        self.state.send_modify(|state| {
            state.mode = mode;
            state.cut += u32::from(mode == Mode::Cut);
            state.forgotten += u32::from(mode == Mode::Swallow);
        });
    }

    /// Swallows what existing connections carry, for good. New ones are not affected.
    pub fn forget(&self) {
        self.state.send_modify(|state| state.forgotten += 1);
    }
}

async fn accept(
    listener: TcpListener,
    server: String,
    states: watch::Receiver<State>,
    mut cuts: Option<Cuts>,
    accepted: Arc<AtomicU32>,
) {
    let mut connections = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        accepted.fetch_add(1, Ordering::Relaxed);
        let allowance = Arc::new(cuts.as_mut().map_or_else(Allowance::unlimited, Cuts::next));
        connections.spawn(connection(client, server.clone(), states.clone(), allowance));
        while connections.try_join_next().is_some() {}
    }
}

async fn connection(
    mut client: TcpStream,
    server: String,
    states: watch::Receiver<State>,
    allowance: Arc<Allowance>,
) {
    let state = *states.borrow();
    if state.mode == Mode::Cut || allowance.is_spent() {
        return;
    }
    if state.mode == Mode::Swallow {
        return drain(&mut client).await;
    }
    let Ok(server) = TcpStream::connect(server).await else { return };
    // The two sides would have this between them without a proxy.
    let _ = client.set_nodelay(true).and_then(|()| server.set_nodelay(true));
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let end = tokio::select! {
        end = ended(state, states.clone(), &allowance) => end,
        () = both(
            carry(&mut from_client, &mut to_server, states.clone(), &allowance),
            carry(&mut from_server, &mut to_client, states, &allowance),
        ) => End::Cut,
    };
    match end {
        End::Cut => {}
        End::Silence => drain(&mut from_client).await,
        End::Forgotten => {
            tokio::join!(drain(&mut from_client), drain(&mut from_server));
            pending::<()>().await;
        }
    }
}

/// Waits until a connection that began in this state must end.
async fn ended(began: State, mut states: watch::Receiver<State>, allowance: &Allowance) -> End {
    let is_over = |state: &State| state.cut != began.cut || state.forgotten != began.forgotten;
    tokio::select! {
        state = states.wait_for(is_over) => match state {
            Ok(state) if state.cut == began.cut => End::Forgotten,
            _ => End::Cut,
        },
        end = allowance.spent() => end,
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
    from: &mut OwnedReadHalf,
    to: &mut OwnedWriteHalf,
    mut states: watch::Receiver<State>,
    allowance: &Allowance,
) -> io::Result<()> {
    let (sender, mut chunks) = mpsc::channel::<(Instant, Vec<u8>)>(CHUNKS_MAX);
    let modes = states.clone();
    let read = async {
        let mut buffer = vec![0; CHUNK_BYTES];
        loop {
            let bytes = from.read(&mut buffer).await?;
            let delay = match modes.borrow().mode {
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
            if states.wait_for(|state| state.mode != Mode::Hold).await.is_err() {
                break;
            }
            if chunk.is_empty() {
                return to.shutdown().await;
            }
            to.write_all(&chunk[..allowance.take(chunk.len())]).await?;
        }
        Ok(())
    };
    tokio::try_join!(read, write).map(|_| ())
}

/// Reads what comes, so that the one who writes does not notice.
async fn drain(from: &mut (impl AsyncReadExt + Unpin)) {
    let mut buffer = vec![0; CHUNK_BYTES];
    while from.read(&mut buffer).await.is_ok_and(|bytes| bytes > 0) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Longer than anything here takes; and how long silence is listened to.
    const TIMEOUT: Duration = Duration::from_secs(10);
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
        tokio::time::timeout(TIMEOUT, stream.read_exact(&mut word)).await.unwrap()?;
        Ok(&word == b"word")
    }

    async fn is_silent(stream: &mut TcpStream) -> bool {
        stream.write_all(b"word").await.unwrap();
        tokio::time::timeout(SILENCE, stream.read(&mut [0; 4])).await.is_err()
    }

    #[tokio::test]
    async fn it_carries_and_cuts_and_carries_again() {
        let (server, _echo) = echo().await;
        let proxy = Proxy::start(&server.to_string()).await.unwrap();
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
        let proxy = Proxy::start(&server.to_string()).await.unwrap();
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
        let proxy = Proxy::start(&server.to_string()).await.unwrap();
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

    #[tokio::test]
    async fn what_is_held_arrives_later() {
        let (server, _echo) = echo().await;
        let proxy = Proxy::start(&server.to_string()).await.unwrap();
        let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
        assert!(ask(&mut stream).await.unwrap());
        proxy.set(Mode::Hold);
        assert!(is_silent(&mut stream).await);
        proxy.set(Mode::Pass);
        let mut word = [0; 4];
        tokio::time::timeout(TIMEOUT, stream.read_exact(&mut word)).await.unwrap().unwrap();
        assert_eq!(&word, b"word");
    }

    #[tokio::test]
    async fn a_forgotten_connection_stays_silent_and_a_new_one_is_carried() {
        let (server, _echo) = echo().await;
        let proxy = Proxy::start(&server.to_string()).await.unwrap();
        let mut before = TcpStream::connect(proxy.address()).await.unwrap();
        assert!(ask(&mut before).await.unwrap());
        proxy.forget();
        assert!(is_silent(&mut before).await);
        let mut after = TcpStream::connect(proxy.address()).await.unwrap();
        assert!(ask(&mut after).await.unwrap());
    }

    #[tokio::test]
    async fn a_connection_that_is_cut_at_random_ends_within_its_allowance() {
        let (server, _echo) = echo().await;
        let proxy = Proxy::cutting(&server.to_string(), 7).await.unwrap();
        let mut ended = 0;
        for number in 1..=20 {
            let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
            let (mut from, mut to) = stream.split();
            let writing = async { while to.write_all(&[7; 1_000]).await.is_ok() {} };
            let reading = async { while from.read(&mut [0; 1_000]).await.is_ok_and(|n| n > 0) {} };
            let both = async { tokio::join!(writing, reading) };
            // One that has fallen silent does not end: the client has to give it up.
            ended += u32::from(tokio::time::timeout(SILENCE, both).await.is_ok());
            assert_eq!(proxy.accepted(), number);
        }
        assert!(ended > 10, "{ended} of 20 were cut");
    }
}
