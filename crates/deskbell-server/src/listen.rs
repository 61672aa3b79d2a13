//! Where we listen: an IP address or a host's name, with a port.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::str::FromStr;

use tokio::net::{TcpListener, TcpSocket, lookup_host};

/// Connections that the system keeps until we accept them; it drops further ones, and their clients
/// try again a second later. Systems have a limit of their own, often 4,096.
const BACKLOG: u32 = 4_096;

/// An address to listen on: `127.0.0.1:3000`, `[::1]:3000` or `localhost:3000`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListenAddress {
    /// An IP address and a port.
    Socket(SocketAddr),
    /// A host's name, which is looked up at the start, and a port.
    Name { host: String, port: u16 },
}

impl ListenAddress {
    /// The port; 0 lets the system choose.
    #[must_use]
    pub fn port(&self) -> u16 {
        match self {
            Self::Socket(address) => address.port(),
            Self::Name { port, .. } => *port,
        }
    }
}

impl From<SocketAddr> for ListenAddress {
    fn from(address: SocketAddr) -> Self {
        Self::Socket(address)
    }
}

/// A text that is no address to listen on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid address `{0}`; expected HOST:PORT, for example 127.0.0.1:3000")]
pub struct NoListenAddress(String);

impl FromStr for ListenAddress {
    type Err = NoListenAddress;

    fn from_str(text: &str) -> Result<Self, NoListenAddress> {
        if let Ok(address) = text.parse() {
            return Ok(Self::Socket(address));
        }
        let error = || NoListenAddress(text.to_owned());
        let (host, port) = text.rsplit_once(':').ok_or_else(error)?;
        let is_name = |label: &str| {
            !label.is_empty()
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        };
        // What is made of digits and dots is an IP address, and a wrong one.
        let is_number = host.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        if is_number || !host.split('.').all(is_name) {
            return Err(error());
        }
        let port = port.parse().map_err(|_| error())?;
        Ok(Self::Name { host: host.to_owned(), port })
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Socket(address) => address.fmt(f),
            Self::Name { host, port } => write!(f, "{host}:{port}"),
        }
    }
}

/// The address could not be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {}", what_to_do(.source, .address))]
pub struct BindError {
    /// The address that was asked for.
    pub address: ListenAddress,
    #[source]
    pub source: io::Error,
}

fn what_to_do(error: &io::Error, address: &ListenAddress) -> String {
    let port = address.port();
    match error.kind() {
        io::ErrorKind::AddrInUse => "another program listens there; stop it, or choose another \
                                     port with `listen` in [server] or with DESKBELL_LISTEN"
            .to_owned(),
        io::ErrorKind::PermissionDenied => {
            format!("no permission to listen on port {port}; choose port 1024 or higher")
        }
        io::ErrorKind::AddrNotAvailable => {
            format!(
                "this machine does not have that address; 0.0.0.0:{port} listens on all addresses"
            )
        }
        _ => "check that it is an address or a name of this machine".to_owned(),
    }
}

/// A port that is ours. Nobody is accepted yet.
#[derive(Debug)]
pub struct Listener(pub(crate) TcpListener);

impl Listener {
    /// Listens on the address; port 0 lets the system choose. Of the addresses that a name stands
    /// for it takes the first that can be had, those of IPv4 before the others.
    ///
    /// # Errors
    /// [`BindError`]: the address is in use, not ours, or not permitted.
    pub async fn bind(address: impl Into<ListenAddress>) -> Result<Self, BindError> {
        let address = address.into();
        match listen(&address).await {
            Ok(listener) => Ok(Self(listener)),
            Err(source) => Err(BindError { address, source }),
        }
    }

    /// The address that is listened on.
    ///
    /// # Errors
    /// The system does not say.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

async fn listen(address: &ListenAddress) -> io::Result<TcpListener> {
    let (host, port) = match address {
        ListenAddress::Socket(address) => return listen_at(*address),
        ListenAddress::Name { host, port } => (host.as_str(), *port),
    };
    let mut addresses: Vec<_> = lookup_host((host, port)).await?.collect();
    addresses.sort_by_key(SocketAddr::is_ipv6);
    let mut outcome = Err(io::ErrorKind::AddrNotAvailable.into());
    for address in addresses {
        outcome = listen_at(address);
        if outcome.is_ok() {
            break;
        }
    }
    outcome
}

fn listen_at(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // A server that starts again must not wait for the connections of the one before.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_and_shown() {
        for text in ["127.0.0.1:3000", "[::1]:0", "localhost:3000", "hooks.example.com:80"] {
            assert_eq!(text.parse::<ListenAddress>().unwrap().to_string(), text);
        }
        for wrong in [
            "",
            "localhost",
            ":3000",
            "3000",
            "localhost:",
            "localhost:http",
            "localhost:70000",
            "http://localhost:3000",
            "127.0.0.256:3000",
            "127.0.0.1",
            "a b:1",
            "::1",
            "*:3000",
        ] {
            assert!(wrong.parse::<ListenAddress>().is_err(), "{wrong}");
        }
    }

    #[tokio::test]
    async fn a_name_is_looked_up() {
        let listener =
            Listener::bind("localhost:0".parse::<ListenAddress>().unwrap()).await.unwrap();
        assert!(listener.local_addr().unwrap().ip().is_loopback());
    }

    #[tokio::test]
    async fn a_port_in_use_says_what_to_do() {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let first = Listener::bind(any).await.unwrap();
        let error = Listener::bind(first.local_addr().unwrap()).await.unwrap_err();
        let text = error.to_string();
        assert!(text.contains("another program") && text.contains("DESKBELL_LISTEN"), "{text}");
    }
}
