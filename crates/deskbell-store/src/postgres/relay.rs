//! A relay between the driver and a server that is spoken to over TLS.
//!
//! The driver leaves out `TCP_NODELAY`, so that what is larger than one record of TLS waits for the
//! server's delayed acknowledgement: 40 ms a commit. So it connects to a Unix socket, and the relay
//! connects to the server with that option. TLS ends in the driver: the relay passes on what it
//! cannot read, and `verify-full` checks the server's name as ever.
//!
//! Each connection has a socket of its own, in a directory of its own, which is gone as soon as the
//! driver has connected to it.

mod pass;
mod server;
mod socket;

use std::io;
use std::path::PathBuf;
use std::sync::Once;
use std::time::Duration;

use tempfile::TempDir;
use tokio::net::UnixListener;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

use server::Server;

/// The driver connects within this time, or the relay ends: whoever asked for it has given up.
const ACCEPT_MAX: Duration = Duration::from_secs(10);

/// The relays of one database, as many as it has connections. They end with their connections, and
/// with the runtime.
#[derive(Debug, Clone, Default)]
pub(super) struct Relays(TaskTracker);

/// How the driver gets to the server.
#[derive(Debug)]
pub(super) enum Route {
    /// By the socket in this directory.
    Socket(PathBuf),
    /// By itself, since the server has no TLS, and none is needed.
    WithoutTls,
    /// By itself, since there can be no socket here.
    Direct,
}

impl Relays {
    /// Connects to the server, and waits for the driver.
    pub(super) async fn open(
        &self,
        host: &str,
        port: u16,
        does_without_tls: bool,
    ) -> io::Result<Route> {
        let server = Server::connect(host, port).await?;
        if does_without_tls && !server.has_tls() {
            return Ok(Route::WithoutTls);
        }
        let opened = tokio::task::spawn_blocking(move || socket::open(port)).await;
        let (listener, directory) = match opened.map_err(io::Error::other).flatten() {
            Ok(opened) => opened,
            Err(error) => {
                warn_once(&error);
                return Ok(Route::Direct);
            }
        };
        let listener = UnixListener::from_std(listener)?;
        let route = Route::Socket(directory.path().to_owned());
        self.0.spawn(relay(listener, directory, server));
        Ok(route)
    }

    /// Waits until those have ended whose connections have.
    pub(super) async fn ended(&self) {
        self.0.close();
        self.0.wait().await;
    }
}

async fn relay(listener: UnixListener, directory: TempDir, server: Server) {
    let accepted = timeout(ACCEPT_MAX, listener.accept()).await;
    drop((listener, directory));
    if let Ok(Ok((driver, _))) = accepted
        && let Err(error) = pass::between(driver, server).await
    {
        // The driver finds its connection closed, and says so.
        tracing::debug!(error = &error as &dyn std::error::Error, "a connection was cut");
    }
}

fn warn_once(error: &io::Error) {
    static WARNED: Once = Once::new();
    WARNED.call_once(|| {
        tracing::warn!(
            error = error as &dyn std::error::Error,
            "large commits to PostgreSQL over TLS take 40 ms longer, because no directory for a \
             socket can be created in TMPDIR, /tmp or /dev/shm; make one of them writable"
        );
    });
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, UnixStream};

    use super::*;

    /// A server that answers "S" to each that asks, and then waits for it to end.
    async fn answering() -> (u16, TaskTracker) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let tasks = TaskTracker::new();
        tasks.spawn(async move {
            let (mut client, _) = listener.accept().await.unwrap();
            client.read_exact(&mut [0; 8]).await.unwrap();
            client.write_all(b"S").await.unwrap();
            client.read_to_end(&mut Vec::new()).await.unwrap();
        });
        tasks.close();
        (port, tasks)
    }

    async fn opened(relays: &Relays, port: u16) -> PathBuf {
        match relays.open("127.0.0.1", port, true).await.unwrap() {
            Route::Socket(directory) => directory,
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn the_socket_is_gone_once_it_is_connected_to_and_the_relay_with_the_connection() {
        let (relays, (port, server)) = (Relays::default(), answering().await);
        let directory = opened(&relays, port).await;
        let socket = directory.join(format!(".s.PGSQL.{port}"));
        let mut driver = UnixStream::connect(&socket).await.unwrap();
        driver.write_all(&server::SSL_REQUEST).await.unwrap();
        assert_eq!(driver.read_u8().await.unwrap(), b'S');
        assert!(!directory.exists());
        assert_eq!(relays.0.len(), 1);
        drop(driver);
        relays.ended().await;
        server.wait().await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_driver_that_does_not_come_is_not_waited_for() {
        let (relays, (port, server)) = (Relays::default(), answering().await);
        let directory = opened(&relays, port).await;
        relays.ended().await;
        assert!(!directory.exists());
        server.wait().await;
    }

    #[test]
    fn nothing_is_left_when_the_runtime_ends() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let directory = runtime.block_on(async {
            let (port, _) = answering().await;
            opened(&Relays::default(), port).await
        });
        assert!(directory.exists());
        drop(runtime);
        assert!(!directory.exists());
    }
}
