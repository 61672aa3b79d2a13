//! What a store on PostgreSQL is opened with.

use std::fmt;

use sqlx::postgres::PgConnectOptions;

use super::{PostgresOpenError, postgres_connect_options};
use crate::Clock;

/// The least number of connections: one that listens, two that append, one for all else.
pub(super) const CONNECTIONS_MIN: u32 = PostgresOptions::CONNECTIONS_MIN;

/// Where the log is on PostgreSQL, and how much of the server this process may use.
#[derive(Clone)]
pub struct PostgresOptions {
    /// `postgres://user:password@host:port/database`, and what [`postgres_connect_options`] has.
    ///
    /// The address of a PgBouncer in transaction mode works too. That is found out when the store
    /// is opened: nothing is prepared then, every statement is a transaction of two round trips
    /// more, and other replicas' events are asked for every 100 ms instead of announced.
    pub url: String,
    /// Connections of this process, in all: one listens to the other replicas, two append, and the
    /// rest is for everything else. At least 4; a call that finds none free waits its turn. Default: 10.
    pub connections_max: u32,
    /// The clock: the database's, wherever this is the system's. A manual one is for tests.
    pub clock: Clock,
}

impl PostgresOptions {
    /// Connections that a store needs at least.
    pub const CONNECTIONS_MIN: u32 = 4;

    /// The default options, for the database at this URL.
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), connections_max: 10, clock: Clock::default() }
    }

    /// How the driver connects. Startup parameters that PgBouncer does not know are left out.
    pub(super) fn connect_options(&self) -> Result<PgConnectOptions, sqlx::Error> {
        Ok(postgres_connect_options(&self.url)?.extra_float_digits(None))
    }

    pub(super) fn check(&self) -> Result<(), PostgresOpenError> {
        match self.connections_max {
            CONNECTIONS_MIN.. => Ok(()),
            found => Err(PostgresOpenError::TooFewConnections { found }),
        }
    }
}

/// The server and the database, for messages: no user and no password.
pub(super) fn place(options: &PgConnectOptions) -> String {
    let database = options.get_database().unwrap_or_else(|| options.get_username());
    format!("{}:{}/{database}", options.get_host(), options.get_port())
}

impl fmt::Debug for PostgresOptions {
    /// Leaves the URL's password out, and with it all of the URL but its place.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = self.connect_options().map_or_else(|_| "?".to_owned(), |url| place(&url));
        f.debug_struct("PostgresOptions")
            .field("place", &place)
            .field("connections_max", &self.connections_max)
            .field("clock", &self.clock)
            .finish_non_exhaustive()
    }
}
