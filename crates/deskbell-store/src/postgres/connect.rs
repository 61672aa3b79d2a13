//! How a URL is connected to: the store's, and everybody else's who has a database on PostgreSQL.

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::{ConnectOptions, PgConnection};
use tokio::time::timeout;
use url::Url;

use super::parameters::known_only;
#[cfg(unix)]
use super::relay::{Relays, Route};

/// What the server's list of connections shows.
const APPLICATION_NAME: &str = "deskbell";

/// Connects to one database, as often as it is asked to.
///
/// `?sslmode=` says how far TLS is asked for: `disable`; `prefer` (the default: where the server
/// offers it, but not on this machine's loopback, which nobody listens to); `require` (always,
/// whoever the server is); `verify-ca` and `verify-full` (and its certificate is checked, by the
/// usual authorities or by `&sslrootcert=FILE`). `&sslcert=FILE&sslkey=FILE` shows one of ours.
#[derive(Clone)]
pub struct PostgresConnector {
    options: PgConnectOptions,
    #[cfg(unix)]
    relays: Relays,
}

impl PostgresConnector {
    /// The connector for `postgres://user:password@host:port/database`. Nothing is connected to.
    ///
    /// # Errors
    /// The text is no URL, or an option has a value that is not known.
    pub fn new(url: &str) -> Result<Self, sqlx::Error> {
        let url = Url::parse(url).map_err(|error| sqlx::Error::Configuration(error.into()))?;
        let options = PgConnectOptions::from_url(&known_only(&url))?;
        Ok(Self {
            options: with_defaults(options),
            #[cfg(unix)]
            relays: Relays::default(),
        })
    }

    /// The same database, with other options of the driver.
    #[must_use]
    pub fn map_options(self, change: impl FnOnce(PgConnectOptions) -> PgConnectOptions) -> Self {
        Self { options: change(self.options), ..self }
    }

    /// Makes a connection. The host's name is resolved anew each time.
    ///
    /// # Errors
    /// The server cannot be reached, which the error says with its address, or it refuses.
    pub async fn connect(&self) -> Result<PgConnection, sqlx::Error> {
        let options = self.options_for_one().await?;
        options.connect().await.map_err(|error| self.with_address(error))
    }

    /// As [`PostgresConnector::connect`], and an error where it takes longer.
    ///
    /// # Errors
    /// As there, and that there was no connection within the time.
    pub async fn connect_within(&self, limit: Duration) -> Result<PgConnection, sqlx::Error> {
        timeout(limit, self.connect()).await.unwrap_or_else(|_| {
            let seconds = limit.as_secs_f32().ceil();
            let text = format!("no connection to {} within {seconds} s", self.address());
            Err(io::Error::new(io::ErrorKind::TimedOut, text).into())
        })
    }

    /// The driver's options for one connection, to be made at once: it may be a relay that waits
    /// for it.
    pub(super) async fn options_for_one(&self) -> Result<PgConnectOptions, sqlx::Error> {
        #[cfg(unix)]
        if self.is_over_tcp() && self.may_use_tls() {
            let (host, port) = (self.options.get_host(), self.options.get_port());
            let does_without = matches!(self.options.get_ssl_mode(), PgSslMode::Prefer);
            let route = self.relays.open(host, port, does_without).await;
            return Ok(match route.map_err(|error| self.with_address(error.into()))? {
                Route::Socket(directory) => self.options.clone().socket(directory),
                Route::WithoutTls => self.options.clone().ssl_mode(PgSslMode::Disable),
                Route::Direct => self.options.clone(),
            });
        }
        Ok(self.options.clone())
    }

    /// Waits until the server has got the last bytes of the connections that have ended.
    pub(super) async fn ended(&self) {
        #[cfg(unix)]
        self.relays.ended().await;
    }

    /// The server and the database, for messages: no user and no password.
    pub(super) fn location(&self) -> String {
        let database = self.options.get_database().unwrap_or_else(|| self.options.get_username());
        format!("{}/{database}", self.address())
    }

    fn address(&self) -> String {
        let (host, port) = (self.options.get_host(), self.options.get_port());
        match self.options.get_socket() {
            Some(directory) => format!("{}:{port}", directory.display()),
            None if host.contains(':') => format!("[{host}]:{port}"),
            None => format!("{host}:{port}"),
        }
    }

    #[cfg(unix)]
    fn is_over_tcp(&self) -> bool {
        self.options.get_socket().is_none() && !self.options.get_host().starts_with('/')
    }

    #[cfg(unix)]
    fn may_use_tls(&self) -> bool {
        // The driver knows no "allow": it does without TLS.
        !matches!(self.options.get_ssl_mode(), PgSslMode::Disable | PgSslMode::Allow)
    }

    /// The driver does not say which server it could not reach.
    fn with_address(&self, error: sqlx::Error) -> sqlx::Error {
        let address = self.address();
        match error {
            sqlx::Error::Io(error) => sqlx::Error::Io(io::Error::new(
                error.kind(),
                format!("no connection to {address}: {error}"),
            )),
            sqlx::Error::Tls(error) => {
                sqlx::Error::Tls(format!("no connection to {address}: {error}").into())
            }
            other => other,
        }
    }
}

fn with_defaults(options: PgConnectOptions) -> PgConnectOptions {
    // A URL has an address of version 6 in brackets, and a resolver does not know those.
    let host = options.get_host().strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let options = match host.map(str::to_owned) {
        Some(host) => options.host(&host),
        None => options,
    };
    let options = match options.get_application_name() {
        Some(_) => options,
        None => options.application_name(APPLICATION_NAME),
    };
    let for_nothing = matches!(options.get_ssl_mode(), PgSslMode::Prefer) && is_loopback(&options);
    if for_nothing { options.ssl_mode(PgSslMode::Disable) } else { options }
}

fn is_loopback(options: &PgConnectOptions) -> bool {
    let host = options.get_host();
    host.eq_ignore_ascii_case("localhost")
        || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

impl fmt::Debug for PostgresConnector {
    /// Leaves out the password, and with it all but the server and the database.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresConnector")
            .field("location", &self.location())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(url: &str) -> String {
        format!("{:?}", PostgresConnector::new(url).unwrap().options.get_ssl_mode())
    }

    #[test]
    fn the_loopback_needs_no_tls_unless_it_is_asked_for() {
        for host in ["localhost", "127.0.0.1:5433", "127.9.9.9", "[::1]"] {
            assert_eq!(mode(&format!("postgres://me@{host}/db")), "Disable", "{host}");
            assert_eq!(mode(&format!("postgres://me@{host}/db?sslmode=require")), "Require");
            let checked = format!("postgres://me@{host}/db?sslmode=verify-full");
            assert_eq!(mode(&checked), "VerifyFull");
        }
        for host in ["db.internal", "10.0.0.1", "localhost.example.com", "[2001:db8::1]"] {
            assert_eq!(mode(&format!("postgres://me@{host}/db")), "Prefer", "{host}");
        }
    }

    #[test]
    fn the_location_has_no_user_and_no_password() {
        for (url, location) in [
            ("postgres://me:hunter2@db:6432/app", "db:6432/app"),
            ("postgres://me:hunter2@[2001:db8::1]/app", "[2001:db8::1]:5432/app"),
            ("postgres:///app?host=/run/pg&password=hunter2", "/run/pg:5432/app"),
            ("postgres://me:hunter2@db", "db:5432/me"),
        ] {
            let connector = PostgresConnector::new(url).unwrap();
            assert_eq!(connector.location(), location);
            assert!(!format!("{connector:?}").contains("hunter2"));
        }
    }
}
