//! A database of a test's own, on the server that the environment names.

use std::sync::Arc;

use deskbell_store::{PostgresOptions, PostgresStore};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use super::pooler::Pooler;

/// The server's URL, in its parts.
#[derive(Clone)]
pub(crate) struct Server(String);

impl Server {
    #[expect(clippy::disallowed_methods, reason = "the test server is named by the environment")]
    pub(crate) fn of_environment() -> Self {
        Self(
            std::env::var("DESKBELL_TEST_POSTGRES")
                .unwrap_or_else(|_| "postgres://postgres@127.0.0.1:5432/postgres".to_owned()),
        )
    }

    /// The URL of one of its databases, at this address or its own.
    fn database(&self, address: Option<&str>, name: &str) -> String {
        let (credentials, own) = self.credentials_and_address();
        format!("postgres://{credentials}@{}/{name}", address.unwrap_or(own))
    }

    fn credentials_and_address(&self) -> (&str, &str) {
        let (_, rest) = self.0.split_once("://").unwrap();
        let (rest, _) = rest.rsplit_once('/').unwrap();
        rest.rsplit_once('@').unwrap_or(("postgres", rest))
    }

    pub(crate) fn user(&self) -> &str {
        let (credentials, _) = self.credentials_and_address();
        credentials.split_once(':').map_or(credentials, |(user, _)| user)
    }

    pub(crate) fn password(&self) -> &str {
        let (credentials, _) = self.credentials_and_address();
        credentials.split_once(':').map_or("", |(_, password)| password)
    }

    pub(crate) fn address(&self) -> (&str, u16) {
        let (_, address) = self.credentials_and_address();
        address
            .rsplit_once(':')
            .map_or((address, 5432), |(host, port)| (host, port.parse().unwrap()))
    }
}

/// An empty database, gone when it is dropped.
pub(crate) struct Place {
    server: Server,
    name: String,
}

impl Place {
    pub(crate) async fn new() -> Self {
        let server = Server::of_environment();
        let name = format!("deskbell_test_{:016x}", rand::random::<u64>());
        let place = Self { server, name };
        // The template is small: to write its pages to the log costs less than the checkpoints
        // that copying its files asks for.
        let create = format!("CREATE DATABASE {} STRATEGY wal_log", place.name);
        let made = run(&place.server.0, &create).await;
        made.expect("a server; run this through `cargo xtask test`");
        place
    }

    pub(crate) fn url(&self) -> String {
        self.server.database(None, &self.name)
    }

    /// The same, where the server is found at another address.
    pub(crate) fn url_at(&self, address: &str) -> String {
        self.server.database(Some(address), &self.name)
    }

    pub(crate) fn server(&self) -> &Server {
        &self.server
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The options of a replica whose clock is the database's.
    pub(crate) fn options(&self) -> PostgresOptions {
        PostgresOptions::new(self.url())
    }

    /// The same, of one behind the pooler.
    pub(crate) fn options_through(&self, pooler: &Pooler) -> PostgresOptions {
        PostgresOptions::new(self.url_at(&pooler.address()))
    }

    /// A replica whose clock is the database's.
    pub(crate) async fn open(&self) -> Arc<PostgresStore> {
        Arc::new(PostgresStore::open(&self.options()).await.unwrap())
    }

    /// A connection of somebody else's.
    pub(crate) async fn connection(&self) -> PgConnection {
        PgConnection::connect(&self.url()).await.unwrap()
    }

    pub(crate) async fn run(&self, sql: &str) {
        run(&self.url(), sql).await.unwrap();
    }

    /// The whole number that the query finds.
    pub(crate) async fn number(&self, sql: &str) -> i64 {
        let sql = AssertSqlSafe(sql.to_owned());
        sqlx::query_scalar(sql).fetch_one(&mut self.connection().await).await.unwrap()
    }
}

impl Drop for Place {
    /// On a thread of its own: this one may be a runtime's.
    fn drop(&mut self) {
        let (server, name) = (self.server.clone(), self.name.clone());
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let sql = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
            runtime.unwrap().block_on(run(&server.0, &sql))
        });
        if let Ok(Err(error)) = dropping.join() {
            eprintln!("{} is left on the server: {error}", self.name);
        }
    }
}

async fn run(url: &str, sql: &str) -> Result<(), sqlx::Error> {
    let mut connection = PgConnection::connect(url).await?;
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await?;
    connection.close().await
}
