//! Opening a store: detect a pooler, check before touching anything, migrate, then begin to listen.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use sqlx::{Connection, PgConnection};
use tokio::task::JoinSet;

use super::migrations::{self, Found};
use super::open_error::PostgresOpenError;
use super::pooler::{self, Route};
use super::pools::Pools;
use super::replica::{self, Replica};
use super::wake::{self, Wake};
use super::{PostgresConnector, PostgresOptions, PostgresStore};
use crate::{BackendError, LogId};

/// How long the server may take to answer before the store counts as not there.
const LOOK_MAX: Duration = Duration::from_secs(10);

impl PostgresStore {
    /// Opens the store in this database and makes it where there is none. Other replicas may have
    /// it open, and may open it at the same time.
    ///
    /// # Errors
    /// [`PostgresOpenError`]: the options make no sense, the schema is not a store or newer than
    /// this program, or the database is away. Nothing was changed then.
    pub async fn open(options: &PostgresOptions) -> Result<Self, PostgresOpenError> {
        Self::open_after(options, Before::Migrate).await
    }

    /// Opens the store in this database as it is: nothing is made or migrated. For a command
    /// beside the running program, which may enqueue commands in it.
    ///
    /// # Errors
    /// [`PostgresOpenError`]: there is no store, or it is of another version than this program's,
    /// or as [`PostgresStore::open`]. Nothing was changed.
    pub async fn open_to_read(options: &PostgresOptions) -> Result<Self, PostgresOpenError> {
        Self::open_after(options, Before::Require).await
    }

    /// As [`PostgresStore::open`], for who fills the store with another one's rows.
    pub(crate) async fn open_to_fill(options: &PostgresOptions) -> Result<Self, PostgresOpenError> {
        Self::open_after(options, Before::Fill).await
    }

    async fn open_after(
        options: &PostgresOptions,
        before: Before,
    ) -> Result<Self, PostgresOpenError> {
        options.check()?;
        let connector = options
            .connector()
            .map_err(|error| PostgresOpenError::Url(BackendError::new(error)))?;
        let location = connector.location();
        let failed = |error| PostgresOpenError::Database {
            location: location.clone(),
            source: BackendError::new(error),
        };
        let route = tokio::time::timeout(LOOK_MAX, pooler::look(&connector))
            .await
            .unwrap_or_else(|_| Err(timed_out()))
            .map_err(failed)?;
        let mut connection = connector.connect().await.map_err(failed)?;
        require_utf8(&mut connection, &location).await?;
        let log_id = prepare(&mut connection, &location, before).await?;
        connection.close().await.map_err(failed)?;
        Self::start(options, &connector, route, log_id).await.map_err(failed)
    }

    /// Makes the connections, and starts what goes on in the background.
    async fn start(
        options: &PostgresOptions,
        connector: &PostgresConnector,
        route: Route,
        log_id: LogId,
    ) -> Result<Self, sqlx::Error> {
        let pools = Arc::new(Pools::new(connector, route, options.connections_max));
        let head = wake::head(&pools).await?;
        let replica = Arc::new(Replica::new());
        replica.beat(&pools).await;
        let wake = Arc::new(Wake::new(replica.name.clone(), head));
        let mut tasks = JoinSet::new();
        tasks.spawn(replica::beat_on(Arc::clone(&replica), Arc::clone(&pools)));
        tasks.spawn(wake::announce(Arc::clone(&wake), Arc::clone(&pools)));
        let listens = route == Route::Direct;
        tasks.spawn(wake::poll(Arc::clone(&wake), Arc::clone(&pools), listens));
        if listens {
            let connector = connector.clone();
            tasks.spawn(wake::listen(Arc::clone(&wake), Arc::clone(&pools), connector));
        } else {
            tracing::info!("connected through a pooler: polling the log instead of listening");
        }
        let (clock, tasks) = (options.clock.clone(), Mutex::new(tasks));
        Ok(Self { log_id, pools, wake, clock, indexes_user_refs: false, replica, tasks })
    }
}

/// What is done about the tables before the store is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Before {
    /// They are made, or brought up.
    Migrate,
    /// They must be as this program has them.
    Require,
    /// They are made, or brought up, and may be half full.
    Fill,
}

/// Sees to it that the tables are as this program has them. The log's id.
async fn prepare(
    connection: &mut PgConnection,
    location: &str,
    before: Before,
) -> Result<LogId, PostgresOpenError> {
    let failed = |error| PostgresOpenError::Database {
        location: location.to_owned(),
        source: BackendError::new(error),
    };
    let mut transaction = connection.begin_with(BEGIN).await.map_err(failed)?;
    let mut found = migrations::look(&mut transaction).await.map_err(failed)?;
    let is_current = found == Found::Store(migrations::VERSION);
    if before != Before::Require && !is_current {
        migrations::lock(&mut transaction).await.map_err(failed)?;
        found = migrations::look(&mut transaction).await.map_err(failed)?;
    }
    judge(found, location, before)?;
    if before != Before::Require {
        migrations::migrate(&mut transaction, found).await.map_err(failed)?;
    }
    if before != Before::Fill && migrations::is_half_full(&mut transaction).await.map_err(failed)? {
        return Err(PostgresOpenError::Unfinished { location: location.to_owned() });
    }
    let log_id = read_log_id(&mut transaction).await.map_err(failed)?;
    transaction.commit().await.map_err(failed)?;
    Ok(log_id)
}

/// Each look sees what others have committed before it.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;
    SET LOCAL lock_timeout = '60s';
    SET LOCAL idle_in_transaction_session_timeout = '60s'";

fn judge(found: Found, location: &str, before: Before) -> Result<(), PostgresOpenError> {
    let location = location.to_owned();
    match (found, before) {
        (Found::SomethingElse, _) => Err(PostgresOpenError::NotAStore { location }),
        (Found::Nothing { .. }, Before::Require) => Err(PostgresOpenError::Missing { location }),
        (Found::Store(found), _) if found > migrations::VERSION => {
            Err(PostgresOpenError::Newer { location, found, known: migrations::VERSION })
        }
        (Found::Store(found), Before::Require) if found < migrations::VERSION => {
            Err(PostgresOpenError::Older { location, found, needed: migrations::VERSION })
        }
        (Found::Nothing { .. } | Found::Store(_), _) => Ok(()),
    }
}

async fn require_utf8(
    connection: &mut PgConnection,
    location: &str,
) -> Result<(), PostgresOpenError> {
    let encoding = sqlx::query_scalar(
        "SELECT pg_encoding_to_char(encoding)::text FROM pg_database
         WHERE datname = current_database()",
    );
    let location = location.to_owned();
    // In a transaction, so that it is prepared and run on one connection of the server's.
    let outcome = async {
        let mut transaction = connection.begin().await?;
        let found: String = encoding.persistent(false).fetch_one(&mut *transaction).await?;
        transaction.commit().await?;
        Ok::<_, sqlx::Error>(found)
    };
    match outcome.await.map_err(BackendError::new) {
        Ok(found) if found == "UTF8" => Ok(()),
        Ok(found) => Err(PostgresOpenError::Encoding { location, found }),
        Err(source) => Err(PostgresOpenError::Database { location, source }),
    }
}

async fn read_log_id(connection: &mut PgConnection) -> Result<LogId, sqlx::Error> {
    let text: String = sqlx::query_scalar("SELECT log_id FROM deskbell.log")
        .persistent(false)
        .fetch_one(connection)
        .await?;
    text.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)))
}

fn timed_out() -> sqlx::Error {
    let message = format!("no answer from the server within {} s", LOOK_MAX.as_secs());
    sqlx::Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, message))
}
