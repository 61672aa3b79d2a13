//! A database on PostgreSQL for one benchmark, and the settings of the server that its numbers hang on.

use std::sync::atomic::{AtomicU32, Ordering};

use clap::Args;
use deskbell_store::PostgresConnector;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::error::BenchError;
use crate::location::Location;
use crate::process;

/// What makes a commit cost what it costs.
const SETTINGS: [&str; 5] =
    ["server_version", "fsync", "synchronous_commit", "shared_buffers", "max_wal_size"];

static CREATED: AtomicU32 = AtomicU32::new(0);

/// The server under a benchmark.
#[derive(Debug, Clone, Args)]
pub(crate) struct Server {
    /// A server where this role may create databases
    #[arg(
        long = "postgres",
        value_name = "URL",
        env = "DESKBELL_TEST_POSTGRES",
        default_value = "postgres://postgres@127.0.0.1:5432/postgres"
    )]
    url: String,
}

/// A database of its own, gone when this is dropped.
#[derive(Debug)]
pub(crate) struct Database {
    server: Server,
    name: String,
    url: String,
}

/// What a server has used since it was started.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ServerUsage {
    pub(crate) wal_bytes: f64,
    /// Processor time; 0 where the server is on another machine.
    pub(crate) processor_seconds: f64,
}

impl ServerUsage {
    pub(crate) fn since(self, before: Self) -> Self {
        Self {
            wal_bytes: self.wal_bytes - before.wal_bytes,
            processor_seconds: self.processor_seconds - before.processor_seconds,
        }
    }
}

impl Server {
    pub(crate) async fn create_database(&self) -> Result<Database, BenchError> {
        let number = CREATED.fetch_add(1, Ordering::Relaxed);
        let name = format!("deskbell_bench_{}_{number}", std::process::id());
        let mut url = url::Url::parse(&self.url)?;
        url.set_path(&name);
        self.run(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await?;
        self.run(&format!("CREATE DATABASE {name}")).await?;
        Ok(Database { server: self.clone(), name, url: url.into() })
    }

    pub(crate) async fn has_tls(&self) -> Result<bool, BenchError> {
        let mut connection = PostgresConnector::new(&self.url)?.connect().await?;
        let setting: String =
            sqlx::query_scalar("SELECT current_setting('ssl')").fetch_one(&mut connection).await?;
        connection.close().await?;
        Ok(setting == "on")
    }

    /// The settings in one line, to be shown beside the numbers.
    pub(crate) async fn settings(&self) -> Result<String, BenchError> {
        let mut connection = PostgresConnector::new(&self.url)?.connect().await?;
        let mut shown = Vec::new();
        for name in SETTINGS {
            let setting: String = sqlx::query_scalar("SELECT current_setting($1)")
                .bind(name)
                .fetch_one(&mut connection)
                .await?;
            shown.push(format!("{name} {setting}"));
        }
        connection.close().await?;
        Ok(format!("PostgreSQL: {}", shown.join(", ")))
    }

    async fn run(&self, sql: &str) -> Result<(), BenchError> {
        let mut connection = PostgresConnector::new(&self.url)?.connect().await?;
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await?;
        Ok(connection.close().await?)
    }
}

impl Database {
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Where a store in it is.
    pub(crate) fn location(&self) -> Location {
        Location::Postgres(self.url.clone())
    }

    pub(crate) fn place_over_tls(&self) -> Result<Location, BenchError> {
        let mut url = url::Url::parse(&self.url)?;
        url.query_pairs_mut().append_pair("sslmode", "require");
        Ok(Location::Postgres(url.into()))
    }

    /// What its server has used until now: of all databases, as nobody else should be at work.
    pub(crate) async fn server_usage(&self) -> Result<ServerUsage, BenchError> {
        let mut connection = self.connect().await?;
        let asked = "SELECT (pg_current_wal_insert_lsn() - '0/0')::float8, pg_backend_pid()";
        let (wal_bytes, process): (f64, i32) =
            sqlx::query_as(asked).fetch_one(&mut connection).await?;
        connection.close().await?;
        let process = u32::try_from(process).unwrap_or_default();
        let processor_seconds = process::parent_of(process).map_or(0.0, process::seconds_of_family);
        Ok(ServerUsage { wal_bytes, processor_seconds })
    }

    pub(crate) async fn connect(&self) -> Result<PgConnection, BenchError> {
        Ok(PostgresConnector::new(&self.url)?.connect().await?)
    }
}

impl Drop for Database {
    /// On a thread of its own: this one may be in the middle of a runtime.
    fn drop(&mut self) {
        let (server, name) = (self.server.clone(), self.name.clone());
        let drop_database = move || -> Result<(), BenchError> {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(server.run(&format!("DROP DATABASE {name} WITH (FORCE)")))
        };
        let dropped = std::thread::spawn(drop_database).join();
        if !matches!(dropped, Ok(Ok(()))) {
            eprintln!("the database {} is left behind", self.name);
        }
    }
}
