//! Connections to a mail server, kept for the next email.
//!
//! lettre's own pool takes a connection back also where its user was dropped in the middle of an
//! email: the next one would go on inside of it. Here a connection comes back only after an email
//! that went all the way.
//!
//! They are opened here too, over a stream that bounds what a server may answer: lettre looks at the
//! length of a line once it has all of it.

use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::DEFAULT_MECHANISMS;
use lettre::transport::smtp::client::{AsyncSmtpConnection, AsyncTokioStream};
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::smtp_stream::Bounded;
use super::smtp_url::{Security, Server};

/// Connections that are kept; more are closed after use.
const KEPT_MAX: usize = 8;
/// How long an idle connection is kept: servers close theirs after some minutes.
const IDLE_MAX: Duration = Duration::from_secs(60);

/// A connection that cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConnectError {
    /// The network, or TLS from the first byte.
    #[error("{0}")]
    Network(#[from] io::Error),
    /// What the server answered.
    #[error("{0}")]
    Server(#[from] Error),
}

/// The connections to one server.
#[derive(Default)]
pub(super) struct Connections {
    idle: Mutex<Vec<(AsyncSmtpConnection, Instant)>>,
}

impl Connections {
    /// One that is ready for an email.
    pub(super) async fn take(&self, server: &Server) -> Result<AsyncSmtpConnection, ConnectError> {
        while let Some((mut connection, since)) = self.pop() {
            if since.elapsed() < IDLE_MAX && connection.test_connected().await {
                return Ok(connection);
            }
        }
        connect(server).await
    }

    /// Keeps one that is ready for the next email.
    pub(super) fn give_back(&self, connection: AsyncSmtpConnection) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < KEPT_MAX {
            idle.push((connection, Instant::now()));
        }
    }

    fn pop(&self) -> Option<(AsyncSmtpConnection, Instant)> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }
}

async fn connect(server: &Server) -> Result<AsyncSmtpConnection, ConnectError> {
    let stream = TcpStream::connect((server.host.as_str(), server.port)).await?;
    let peer = stream.peer_addr()?;
    let stream: Box<dyn AsyncTokioStream> = match &server.security {
        Security::Tls(connector, name) => {
            Box::new(Bounded::new(connector.connect(name.clone(), stream).await?, peer))
        }
        Security::StartTls(_) | Security::Plain => Box::new(Bounded::new(stream, peer)),
    };
    let mut connection = AsyncSmtpConnection::connect_with_transport(stream, &server.hello).await?;
    if let Security::StartTls(tls) = &server.security {
        // Fails where the server does not offer it: nothing goes in the clear.
        connection.starttls(tls.clone(), &server.hello).await?;
    }
    if let Some(credentials) = &server.credentials {
        connection.auth(DEFAULT_MECHANISMS, credentials).await?;
    }
    Ok(connection)
}
