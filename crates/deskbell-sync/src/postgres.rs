//! PostgreSQL: a mirror in one schema of a database.

mod describe;
mod session;
mod timestamp;

use std::time::Duration;

use async_trait::async_trait;
use deskbell_store::postgres_connect_options;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, PgConnection};

use session::PostgresSession;

use crate::mapped::Refusal;
use crate::schema::Dialect;
use crate::session::{Database, DatabaseError, Session};

/// How long a connection may take to be made.
const CONNECT_MAX: Duration = Duration::from_secs(10);

/// A database on a server.
#[derive(Debug)]
pub(crate) struct PostgresDatabase {
    options: PgConnectOptions,
}

impl PostgresDatabase {
    pub(crate) fn new(url: &str) -> Result<Self, sqlx::Error> {
        let options = postgres_connect_options(url)?;
        // What takes long is reported by us, with the destination's name.
        Ok(Self { options: options.disable_statement_logging() })
    }

    async fn open(&self) -> Result<Box<dyn Session>, DatabaseError> {
        let connecting: Result<Result<PgConnection, _>, _> =
            tokio::time::timeout(CONNECT_MAX, self.options.connect()).await;
        let connection = connecting.unwrap_or_else(|_| {
            let seconds = CONNECT_MAX.as_secs();
            let message = format!("no connection to the server within {seconds} s");
            Err(std::io::Error::new(std::io::ErrorKind::TimedOut, message).into())
        })?;
        Ok(Box::new(PostgresSession::new(connection)))
    }
}

#[async_trait]
impl Database for PostgresDatabase {
    fn dialect(&self) -> Dialect {
        Dialect::Postgres
    }

    async fn connect(&self) -> Result<Box<dyn Session>, DatabaseError> {
        self.open().await
    }

    async fn connect_to_read(&self) -> Result<Box<dyn Session>, DatabaseError> {
        self.open().await
    }
}

/// Why PostgreSQL will not have a value, if that is what the error says. By the classes of
/// <https://www.postgresql.org/docs/current/errcodes-appendix.html>: a value that does not fit
/// (22), a constraint (23), a view's check (44), a limit of the program such as JSON's depth (54),
/// and what a trigger raises (P0). Deadlocks and failed serializations (40) pass.
pub(crate) fn refusal(error: &sqlx::Error) -> Option<Refusal> {
    let error = error.as_database_error()?;
    error.try_downcast_ref::<sqlx::postgres::PgDatabaseError>()?;
    let code = error.code()?;
    let refused = ["22", "23", "44", "54", "P0"].iter().any(|class| code.starts_with(class));
    let conflict = [FOREIGN_KEY, UNIQUE, EXCLUSION].contains(&&*code);
    refused.then(|| Refusal { reason: error.message().to_owned(), conflict })
}

const FOREIGN_KEY: &str = "23503";
const UNIQUE: &str = "23505";
const EXCLUSION: &str = "23P01";
