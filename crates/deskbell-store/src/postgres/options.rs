//! What a store on PostgreSQL is opened with.

use std::fmt;

use super::PostgresConnector;
use super::open_error::{CONNECTIONS_MIN, PostgresOpenError};
use crate::Clock;

/// Where the log is on PostgreSQL, and how much of the server this process may use.
#[derive(Clone)]
pub struct PostgresOptions {
    /// `postgres://user:password@host:port/database`, and what [`PostgresConnector`] has.
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
    pub const CONNECTIONS_MIN: u32 = CONNECTIONS_MIN;

    /// The default options, for the database at this URL.
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), connections_max: 10, clock: Clock::default() }
    }

    /// How the driver connects. Startup parameters that PgBouncer does not know are left out.
    pub(super) fn connector(&self) -> Result<PostgresConnector, sqlx::Error> {
        let connector = PostgresConnector::new(&self.url)?;
        Ok(connector.map_options(|options| options.extra_float_digits(None)))
    }

    pub(super) fn check(&self) -> Result<(), PostgresOpenError> {
        match self.connections_max {
            CONNECTIONS_MIN.. => Ok(()),
            found => Err(PostgresOpenError::TooFewConnections { found }),
        }
    }
}

impl fmt::Debug for PostgresOptions {
    /// Leaves the URL's password out, and with it all of the URL but its place.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let location =
            self.connector().map_or_else(|_| "?".to_owned(), |connector| connector.location());
        f.debug_struct("PostgresOptions")
            .field("location", &location)
            .field("connections_max", &self.connections_max)
            .field("clock", &self.clock)
            .finish_non_exhaustive()
    }
}
