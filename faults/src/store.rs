//! The store, looked at from outside: with SQL, past the product and past the proxies.

use std::path::PathBuf;

use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection, PgConnection, SqliteConnection};

use crate::error::FaultError;

#[derive(Debug, Clone)]
pub(crate) enum Store {
    Sqlite(PathBuf),
    Postgres(Box<PgConnectOptions>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Progress {
    /// The last event of the log.
    pub(crate) head: i64,
    /// The last one that was routed to the receiver.
    pub(crate) routed: i64,
    /// Deliveries that are neither made nor given up.
    pub(crate) pending: i64,
    /// Those of them that were never attempted, as far as anybody wrote it down, up to the event that was asked for.
    pub(crate) untried: i64,
}

/// An event as it stands in the log.
#[derive(Debug)]
pub(crate) struct Logged {
    pub(crate) message_id: String,
    pub(crate) payload: Vec<u8>,
}

/// What compressed payloads need: `payload_bytes` says how long such a one is.
const DICTIONARY: &[u8] =
    include_bytes!("../../crates/deskbell-store/src/packing/dictionary_32768.zdict");

const EVENTS: &str = "SELECT message_id, payload, payload_bytes FROM events
    WHERE source = 'clerk' ORDER BY seq";
const SETTLED: &str = "SELECT CAST(count(*) AS BIGINT) FROM settled_deliveries
    JOIN events USING (seq) WHERE events.source = 'clerk'";
const DEAD_LETTERED: &str = "SELECT events.message_id FROM settled_deliveries
    JOIN events USING (seq) WHERE state = 'dead_lettered'";
const STANDING: &str = "SELECT
    (SELECT CAST(coalesce(max(seq), 0) AS BIGINT) FROM events),
    (SELECT CAST(coalesce(min(routed_seq), 0) AS BIGINT) FROM destinations WHERE name = 'receiver'),
    (SELECT CAST(count(*) AS BIGINT) FROM deliveries),
    (SELECT CAST(count(*) AS BIGINT) FROM deliveries WHERE attempts_total = 0 AND seq <= $1)";

/// Where the store's tables are in a PostgreSQL database.
const SCHEMA: &str = "deskbell";

impl Store {
    /// The store in this database.
    pub(crate) fn postgres(url: &str) -> Result<Self, FaultError> {
        let options: PgConnectOptions = url.parse()?;
        Ok(Self::Postgres(Box::new(options.options([("search_path", SCHEMA)]))))
    }

    /// How far it is; [`Progress::untried`] up to this event.
    pub(crate) async fn progress(&self, up_to: i64) -> Result<Progress, FaultError> {
        let (head, routed, pending, untried) = match self {
            Self::Sqlite(_) => {
                let mut connection = self.sqlite().await?;
                let row = sqlx::query_as(STANDING).bind(up_to).fetch_one(&mut connection).await?;
                connection.close().await?;
                row
            }
            Self::Postgres(options) => {
                let mut connection = PgConnection::connect_with(options).await?;
                let row = sqlx::query_as(STANDING).bind(up_to).fetch_one(&mut connection).await?;
                connection.close().await?;
                row
            }
        };
        Ok(Progress { head, routed, pending, untried })
    }

    /// Every event of Clerk's in the log, in its order.
    pub(crate) async fn events(&self) -> Result<Vec<Logged>, FaultError> {
        let rows: Vec<(String, Vec<u8>, Option<i32>)> = match self {
            Self::Sqlite(_) => sqlx::query_as(EVENTS).fetch_all(&mut self.sqlite().await?).await?,
            Self::Postgres(options) => {
                let mut connection = PgConnection::connect_with(options).await?;
                sqlx::query_as(EVENTS).fetch_all(&mut connection).await?
            }
        };
        let mut decompressor = zstd::bulk::Decompressor::with_dictionary(DICTIONARY)?;
        let mut logged = Vec::with_capacity(rows.len());
        for (message_id, stored, payload_bytes) in rows {
            let length = payload_bytes.and_then(|length| usize::try_from(length).ok());
            let payload = match length {
                Some(length) => decompressor.decompress(&stored, length)?,
                None => stored,
            };
            logged.push(Logged { message_id, payload });
        }
        Ok(logged)
    }

    /// How many deliveries of Clerk's events have ended, made or given up.
    pub(crate) async fn settled(&self) -> Result<i64, FaultError> {
        Ok(match self {
            Self::Sqlite(_) => {
                sqlx::query_scalar(SETTLED).fetch_one(&mut self.sqlite().await?).await?
            }
            Self::Postgres(options) => {
                let mut connection = PgConnection::connect_with(options).await?;
                sqlx::query_scalar(SETTLED).fetch_one(&mut connection).await?
            }
        })
    }

    /// The messages whose delivery was given up.
    pub(crate) async fn dead_lettered(&self) -> Result<Vec<String>, FaultError> {
        Ok(match self {
            Self::Sqlite(_) => {
                sqlx::query_scalar(DEAD_LETTERED).fetch_all(&mut self.sqlite().await?).await?
            }
            Self::Postgres(options) => {
                let mut connection = PgConnection::connect_with(options).await?;
                sqlx::query_scalar(DEAD_LETTERED).fetch_all(&mut connection).await?
            }
        })
    }

    async fn sqlite(&self) -> Result<SqliteConnection, FaultError> {
        let Self::Sqlite(path) = self else {
            return Err(std::io::Error::other("the store is no file").into());
        };
        let options = SqliteConnectOptions::new().filename(path).read_only(true);
        Ok(SqliteConnection::connect_with(&options).await?)
    }
}
