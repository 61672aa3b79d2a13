//! The relay's connection to the server, as far as the answer whether it has TLS.

use std::io;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What asks for TLS: `SSLRequest` of
/// <https://www.postgresql.org/docs/current/protocol-message-formats.html>.
pub(super) const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];
/// The answer of a server without TLS.
const WITHOUT_TLS: u8 = b'N';

/// A connection that is silent for so long is asked whether it is still there, and each time again
/// after the interval; after as many questions without an answer it is closed.
const KEEPALIVE_AFTER: Duration = Duration::from_secs(30);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
const KEEPALIVE_QUESTIONS_MAX: u32 = 3;
/// A connection whose bytes nobody acknowledges for so long is closed.
#[cfg(target_os = "linux")]
const UNACKNOWLEDGED_MAX: Duration = Duration::from_secs(60);

pub(super) struct Server {
    pub(super) stream: TcpStream,
    /// What it said when it was asked for TLS.
    pub(super) answer: u8,
}

impl Server {
    pub(super) async fn connect(host: &str, port: u16) -> io::Result<Self> {
        let mut stream = TcpStream::connect((host, port)).await?;
        configure(&stream)?;
        stream.write_all(&SSL_REQUEST).await?;
        let answer = stream.read_u8().await.map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => {
                io::Error::new(error.kind(), "the server closed the connection without an answer")
            }
            _ => error,
        })?;
        Ok(Self { stream, answer })
    }

    pub(super) fn has_tls(&self) -> bool {
        self.answer != WITHOUT_TLS
    }
}

fn configure(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let socket = SockRef::from(stream);
    let keepalive = TcpKeepalive::new()
        .with_time(KEEPALIVE_AFTER)
        .with_interval(KEEPALIVE_INTERVAL)
        .with_retries(KEEPALIVE_QUESTIONS_MAX);
    socket.set_tcp_keepalive(&keepalive)?;
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(UNACKNOWLEDGED_MAX))?;
    Ok(())
}
