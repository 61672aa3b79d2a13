//! Passing bytes between the driver and the server until both have ended.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader, copy_buf};
use tokio::net::UnixStream;
use tokio::time::timeout;

use super::server::{SSL_REQUEST, Server};

/// What is on its way in one direction at most; the sender waits when it is full. Two records of TLS.
const BUFFER_BYTES: usize = 32 * 1024;
/// How long the server may take to end the connection once the driver has. It is cut then.
const FAREWELL_MAX: Duration = Duration::from_secs(5);

/// Passes on what each side says, and that it says no more, until the connection has ended.
pub(super) async fn between(mut driver: UnixStream, mut server: Server) -> io::Result<()> {
    answer(&mut driver, server.answer).await?;
    let (from_driver, to_driver) = driver.split();
    let (from_server, to_server) = server.stream.split();
    let mut up = std::pin::pin!(copy(from_driver, to_server));
    let mut down = std::pin::pin!(copy(from_server, to_driver));
    tokio::select! {
        sent = &mut up => {
            // Also where it cannot be written to any more: it may have said why.
            let received = timeout(FAREWELL_MAX, down).await;
            sent.and(received.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())))
        }
        received = &mut down => {
            received?;
            // The driver sees that the server has ended, and lets go of its side when it likes.
            up.await
        }
    }
}

/// The server was already asked for TLS: the driver gets the answer that it gave.
async fn answer(driver: &mut UnixStream, answer: u8) -> io::Result<()> {
    let mut asked = [0; SSL_REQUEST.len()];
    driver.read_exact(&mut asked).await?;
    if asked != SSL_REQUEST {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "the driver did not ask for TLS"));
    }
    driver.write_all(&[answer]).await
}

async fn copy(from: impl AsyncRead, to: impl AsyncWrite) -> io::Result<()> {
    let (from, mut to) = (std::pin::pin!(from), std::pin::pin!(to));
    copy_buf(&mut BufReader::with_capacity(BUFFER_BYTES, from), &mut to).await?;
    to.shutdown().await
}

#[cfg(test)]
mod tests {
    use tokio::net::{TcpListener, TcpStream};
    use tokio::task::JoinHandle;
    use tokio_util::task::TaskTracker;

    use super::*;

    struct Ends {
        driver: UnixStream,
        server: TcpStream,
        relay: JoinHandle<io::Result<()>>,
    }

    /// A driver and a server that has answered "S", with a relay between them.
    async fn connected() -> Ends {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let stream = TcpStream::connect(address).await.unwrap();
        let (server, _) = listener.accept().await.unwrap();
        let (mut driver, relayed) = UnixStream::pair().unwrap();
        let passing = between(relayed, Server { stream, answer: b'S' });
        let relay = TaskTracker::new().spawn(passing);
        driver.write_all(&SSL_REQUEST).await.unwrap();
        assert_eq!(driver.read_u8().await.unwrap(), b'S');
        Ends { driver, server, relay }
    }

    async fn rest(stream: &mut (impl AsyncRead + Unpin)) -> Vec<u8> {
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await.unwrap();
        bytes
    }

    #[tokio::test]
    async fn what_the_driver_says_last_is_passed_on_and_the_answer_too() {
        let Ends { mut driver, mut server, relay } = connected().await;
        let large = vec![7; 4 * BUFFER_BYTES];
        let (sent, received) = tokio::join!(
            async {
                driver.write_all(&large).await.unwrap();
                driver.shutdown().await
            },
            rest(&mut server)
        );
        sent.unwrap();
        assert_eq!(received, large);
        server.write_all(b"goodbye").await.unwrap();
        drop(server);
        assert_eq!(rest(&mut driver).await, b"goodbye");
        relay.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn a_server_that_ends_first_is_heard_to_the_end() {
        let Ends { mut driver, mut server, relay } = connected().await;
        server.write_all(b"the server shuts down").await.unwrap();
        server.shutdown().await.unwrap();
        assert_eq!(rest(&mut driver).await, b"the server shuts down");
        driver.write_all(b"X").await.unwrap();
        drop(driver);
        assert_eq!(rest(&mut server).await, b"X");
        relay.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn a_server_that_resets_the_connection_ends_the_drivers() {
        let Ends { mut driver, server, relay } = connected().await;
        socket2::SockRef::from(&server).set_linger(Some(Duration::ZERO)).unwrap();
        drop(server);
        assert!(relay.await.unwrap().is_err());
        assert!(matches!(driver.read(&mut [0]).await, Ok(0) | Err(_)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_does_not_end_is_cut_off() {
        let Ends { driver, mut server, relay } = connected().await;
        drop(driver);
        let cut = relay.await.unwrap().unwrap_err();
        assert_eq!(cut.kind(), io::ErrorKind::TimedOut);
        assert_eq!(rest(&mut server).await, b"");
    }
}
