//! A PostgreSQL database of a test's own, on the server that the environment names.

use sqlx::{AssertSqlSafe, Connection, PgConnection};

/// The database, and a role that may do everything in it.
pub(crate) struct Database {
    server: String,
    name: String,
}

impl Database {
    /// The role's password, wherever the server asks for one.
    pub(crate) const PASSWORD: &str = "hunter2-of-the-test";

    #[expect(clippy::disallowed_methods, reason = "the test server is named by the environment")]
    pub(crate) async fn new() -> Self {
        let server = std::env::var("DESKBELL_TEST_POSTGRES")
            .unwrap_or_else(|_| "postgres://postgres@127.0.0.1:5432/postgres".to_owned());
        let name = format!("deskbell_test_{:016x}", rand::random::<u64>());
        let database = Self { server, name };
        let Self { name, .. } = &database;
        let password = Self::PASSWORD;
        database.on_server(&format!("CREATE ROLE {name} LOGIN PASSWORD '{password}'")).await;
        database.on_server(&format!("CREATE DATABASE {name} OWNER {name}")).await;
        database
    }

    pub(crate) fn url(&self) -> String {
        let (_, host) = self.server.rsplit_once('@').unwrap();
        let (host, _) = host.rsplit_once('/').unwrap();
        format!("postgres://{0}:{1}@{host}/{0}", self.name, Self::PASSWORD)
    }

    /// How many connections the role may have.
    pub(crate) async fn limit_connections(&self, connections_max: i32) {
        let limited = format!("ALTER ROLE {} CONNECTION LIMIT {connections_max}", self.name);
        self.on_server(&limited).await;
    }

    /// Takes both away again. A test that fails leaves them to be looked at.
    pub(crate) async fn drop(self) {
        self.on_server(&format!("DROP DATABASE {} WITH (FORCE)", self.name)).await;
        self.on_server(&format!("DROP ROLE {}", self.name)).await;
    }

    async fn on_server(&self, sql: &str) {
        let connection = PgConnection::connect(&self.server).await;
        let mut connection = connection
            .expect("a server; run it through `cargo xtask test` or set DESKBELL_TEST_POSTGRES");
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await.unwrap();
    }
}
