//! A proxy before the server that cuts connections at random, from a seed.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// The most bytes that pass before a connection is cut: some batches.
const BYTES_MAX: usize = 600_000;
/// Connections that are refused in a row, where the server is away for a while.
const REFUSED: u32 = 5;

/// How a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// Both sides are closed.
    Cut,
    /// Nothing passes any more, and nobody is told.
    Silence,
}

/// A proxy that runs until it is dropped.
pub(crate) struct CutProxy {
    pub(crate) address: SocketAddr,
    /// The connections that it has ended.
    pub(crate) ended: Arc<AtomicU32>,
    _tasks: JoinSet<()>,
}

impl CutProxy {
    pub(crate) async fn before(server: &str, seed: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let ended = Arc::<AtomicU32>::default();
        let serving = serve(listener, server.to_owned(), seed, Arc::clone(&ended));
        Self { address, ended, _tasks: JoinSet::from_iter([serving]) }
    }
}

/// A proxy that passes nothing on while it is silent, and tells nobody.
pub(crate) struct SilentProxy {
    pub(crate) address: SocketAddr,
    silent: watch::Sender<bool>,
    _tasks: JoinSet<()>,
}

impl SilentProxy {
    pub(crate) async fn before(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (silent, is_silent) = watch::channel(false);
        let serving = serve_silently(listener, server.to_owned(), is_silent);
        Self { address, silent, _tasks: JoinSet::from_iter([serving]) }
    }

    pub(crate) fn silence(&self, silent: bool) {
        self.silent.send_replace(silent);
    }
}

async fn serve_silently(listener: TcpListener, server: String, silent: watch::Receiver<bool>) {
    let mut passing = JoinSet::new();
    loop {
        let (mut client, _) = listener.accept().await.unwrap();
        let (server, mut silent) = (server.clone(), silent.clone());
        passing.spawn(async move {
            let Ok(mut server) = TcpStream::connect(&server).await else { return };
            let (mut up, mut down) = (vec![0; 16 * 1024], vec![0; 16 * 1024]);
            loop {
                let passed = tokio::select! {
                    read = client.read(&mut up) => (read, &up, &mut server),
                    read = server.read(&mut down) => (read, &down, &mut client),
                };
                if silent.wait_for(|silent| !silent).await.is_err() {
                    return;
                }
                let (read, buffer, to) = passed;
                if forward(read, buffer, usize::MAX, to).await.is_none() {
                    return;
                }
            }
        });
    }
}

async fn serve(listener: TcpListener, server: String, seed: u64, ended: Arc<AtomicU32>) {
    let mut rng = StdRng::seed_from_u64(seed);
    let (mut passing, mut refuse) = (JoinSet::new(), 0);
    loop {
        let (client, _) = listener.accept().await.unwrap();
        ended.fetch_add(1, Ordering::Relaxed);
        if refuse > 0 {
            refuse -= 1;
            continue;
        }
        let end = if rng.random_bool(0.1) { End::Silence } else { End::Cut };
        refuse = if rng.random_bool(0.1) { REFUSED } else { 0 };
        passing.spawn(pass(client, server.clone(), rng.random_range(0..BYTES_MAX), end));
    }
}

/// Passes so many bytes on, both ways together.
async fn pass(mut client: TcpStream, server: String, bytes: usize, end: End) {
    let Ok(mut server) = TcpStream::connect(&server).await else { return };
    let (mut up, mut down) = (vec![0; 16 * 1024], vec![0; 16 * 1024]);
    let mut left = bytes;
    while left > 0 {
        let passed = tokio::select! {
            read = client.read(&mut up) => forward(read, &up, left, &mut server).await,
            read = server.read(&mut down) => forward(read, &down, left, &mut client).await,
        };
        let Some(passed) = passed else { return };
        left -= passed;
    }
    if end == End::Silence {
        // Until the client has had enough.
        while client.read(&mut up).await.is_ok_and(|read| read > 0) {}
    }
}

async fn forward(
    read: std::io::Result<usize>,
    buffer: &[u8],
    left: usize,
    to: &mut TcpStream,
) -> Option<usize> {
    let bytes = read.ok().filter(|read| *read > 0)?.min(left);
    to.write_all(&buffer[..bytes]).await.ok()?;
    Some(bytes)
}
