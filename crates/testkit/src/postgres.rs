//! A PostgreSQL database of a test's own, on the server that the environment names.

use std::fmt::Display;
use std::sync::Arc;

use deskbell_store::{PostgresOptions, PostgresStore};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

/// The test server, by its URL.
#[derive(Debug, Clone)]
pub struct PostgresServer(String);

/// An empty database. Dropping it drops the database, with all connections to it.
#[derive(Debug)]
pub struct PostgresDatabase {
    server: PostgresServer,
    name: String,
    /// The role that owns it has its name.
    has_owner: bool,
}

impl PostgresServer {
    /// The server that `cargo xtask test` provides.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the environment names the test server")]
    pub fn of_environment() -> Self {
        Self(
            std::env::var("DESKBELL_TEST_POSTGRES")
                .unwrap_or_else(|_| "postgres://postgres@127.0.0.1:5432/postgres".to_owned()),
        )
    }

    /// The role that the tests use.
    #[must_use]
    pub fn user(&self) -> &str {
        let (credentials, _) = self.credentials_and_address();
        credentials.split_once(':').map_or(credentials, |(user, _)| user)
    }

    /// The role's password; empty if it has none.
    #[must_use]
    pub fn password(&self) -> &str {
        let (credentials, _) = self.credentials_and_address();
        credentials.split_once(':').map_or("", |(_, password)| password)
    }

    /// `host:port`.
    #[must_use]
    pub fn authority(&self) -> String {
        let (host, port) = self.address();
        format!("{host}:{port}")
    }

    /// Host and port.
    #[must_use]
    pub fn address(&self) -> (&str, u16) {
        let (_, address) = self.credentials_and_address();
        address
            .rsplit_once(':')
            .map_or((address, 5432), |(host, port)| (host, port.parse().unwrap()))
    }

    /// Runs these statements on the server itself.
    ///
    /// # Errors
    /// When the server is away or refuses them.
    pub async fn run(&self, sql: &str) -> Result<(), sqlx::Error> {
        run(&self.0, sql).await
    }

    fn credentials_and_address(&self) -> (&str, &str) {
        let (_, rest) = self.0.split_once("://").unwrap();
        let (rest, _) = rest.rsplit_once('/').unwrap();
        rest.rsplit_once('@').unwrap_or(("postgres", rest))
    }
}

impl PostgresDatabase {
    /// The password of the role that [`with_owner`](Self::with_owner) makes, if the server asks for one.
    pub const PASSWORD: &str = "hunter2-of-the-test";

    /// Creates a database.
    pub async fn new() -> Self {
        // The template is small: writing its pages to the log costs less than the checkpoints
        // that copying its files requires.
        Self::create(&["STRATEGY wal_log"]).await
    }

    /// Creates a database, with the first of these options that the server takes.
    pub async fn create(options: &[&str]) -> Self {
        let (server, name) = (PostgresServer::of_environment(), new_name());
        let mut refused = None;
        for options in options {
            match server.run(&format!("CREATE DATABASE {name} {options}")).await {
                Ok(()) => return Self { server, name, has_owner: false },
                Err(error) => refused = Some(error),
            }
        }
        panic!("no PostgreSQL server; run this through `cargo xtask test`: {refused:?}");
    }

    /// Creates a database and a role that owns it; [`url`](Self::url) connects as this role.
    pub async fn with_owner() -> Self {
        let (server, name) = (PostgresServer::of_environment(), new_name());
        let role = format!("CREATE ROLE {name} LOGIN PASSWORD '{}'", Self::PASSWORD);
        server.run(&role).await.expect("a server; run this through `cargo xtask test`");
        server.run(&format!("CREATE DATABASE {name} OWNER {name}")).await.unwrap();
        Self { server, name, has_owner: true }
    }

    /// The server that it is on.
    #[must_use]
    pub fn server(&self) -> &PostgresServer {
        &self.server
    }

    /// Its name, and its owner's.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The URL for the owner if there is one, else for the role of the tests.
    #[must_use]
    pub fn url(&self) -> String {
        self.url_at(self.server.credentials_and_address().1)
    }

    /// The same, where the server is found at another address, such as a proxy's.
    #[must_use]
    pub fn url_at(&self, address: impl Display) -> String {
        let owner = format!("{}:{}", self.name, Self::PASSWORD);
        let (credentials, _) = self.server.credentials_and_address();
        let credentials = if self.has_owner { &owner } else { credentials };
        format!("postgres://{credentials}@{address}/{}", self.name)
    }

    /// The URL for this role.
    #[must_use]
    pub fn url_of(&self, role: &str, password: &str) -> String {
        let (_, address) = self.server.credentials_and_address();
        format!("postgres://{role}:{password}@{address}/{}", self.name)
    }

    /// The options of a store in it, whose clock is the database's.
    #[must_use]
    pub fn options(&self) -> PostgresOptions {
        PostgresOptions::new(self.url())
    }

    /// Opens a store in it, as one more replica does.
    pub async fn open(&self) -> Arc<PostgresStore> {
        Arc::new(PostgresStore::open(&self.options()).await.unwrap())
    }

    /// A connection beside the ones under test.
    pub async fn connection(&self) -> PgConnection {
        PgConnection::connect(&self.url()).await.unwrap()
    }

    /// Runs these statements.
    pub async fn run(&self, sql: &str) {
        run(&self.url(), sql).await.unwrap();
    }

    /// The whole number that this query finds.
    pub async fn number(&self, sql: &str) -> i64 {
        let sql = AssertSqlSafe(sql.to_owned());
        sqlx::query_scalar(sql).fetch_one(&mut self.connection().await).await.unwrap()
    }
}

impl Drop for PostgresDatabase {
    /// On a thread of its own: the current one may belong to a runtime.
    fn drop(&mut self) {
        let (server, name, has_owner) = (self.server.clone(), self.name.clone(), self.has_owner);
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async {
                server.run(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await?;
                if has_owner {
                    server.run(&format!("DROP ROLE {name}")).await?;
                }
                Ok::<(), sqlx::Error>(())
            })
        });
        if let Ok(Err(error)) = dropping.join() {
            eprintln!("{} is left on the server: {error}", self.name);
        }
    }
}

fn new_name() -> String {
    format!("deskbell_test_{:016x}", rand::random::<u64>())
}

async fn run(url: &str, sql: &str) -> Result<(), sqlx::Error> {
    let mut connection = PgConnection::connect(url).await?;
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await?;
    connection.close().await
}
