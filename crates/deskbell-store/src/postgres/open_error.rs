//! What keeps a store on PostgreSQL from being opened.

use crate::BackendError;

/// The least number of connections: one that listens, two that append, one for all else.
pub(super) const CONNECTIONS_MIN: u32 = 4;

/// A store that could not be opened. Nothing in it was changed.
#[derive(Debug, thiserror::Error)]
pub enum PostgresOpenError {
    /// The URL cannot be read. It is not shown, since it may contain a password.
    #[error("invalid store url; expected postgres://user:password@host:5432/database")]
    Url(#[source] BackendError),
    /// There is no room for what the store needs at the same time.
    #[error(
        "connections_max is {found}; a store on PostgreSQL needs at least {CONNECTIONS_MIN}: one \
         that listens, two that append, and one for everything else"
    )]
    TooFewConnections { found: u32 },
    /// The database's texts are not UTF-8.
    #[error(
        "{location} has the encoding {found}, expected UTF8; create the database with ENCODING \
         'UTF8' TEMPLATE template0"
    )]
    Encoding { location: String, found: String },
    /// There is a schema with our name and other tables.
    #[error(
        "{location} has a schema \"deskbell\" that is not a deskbell store; use another database, or \
         rename the schema"
    )]
    NotAStore { location: String },
    /// A later program has migrated the store.
    #[error(
        "{location} has schema version {found}, and this release supports versions up to {known}; \
         run the release that wrote it, or a later one"
    )]
    Newer { location: String, found: usize, known: usize },
    /// There is no store, and reading makes none.
    #[error("no event log found in {location}; start `deskbell serve` once to create it")]
    Missing { location: String },
    /// A program before this one wrote the store, and nobody has brought it up since.
    #[error(
        "{location} has schema version {found}, and this release needs version {needed}; start \
         `deskbell serve` once to migrate it"
    )]
    Older {
        location: String,
        found: usize,
        /// The version that this program reads and writes.
        needed: usize,
    },
    /// A log is being copied there, or was and the copy is not whole.
    #[error(
        "the log in {location} is incomplete, because `deskbell store migrate` has not finished; run \
         it again to continue"
    )]
    Unfinished { location: String },
    #[error("cannot open the store in {location}")]
    Database { location: String, source: BackendError },
}
