//! A copy of an example in a directory and a database of its own.

use std::path::PathBuf;
use std::str::FromStr;

use sqlx::postgres::PgRow;
use sqlx::sqlite::{SqliteConnectOptions, SqliteRow};
use sqlx::{
    AssertSqlSafe, Column, ConnectOptions, Connection, PgConnection, Row, SqliteConnection,
};
use tempfile::TempDir;
use testkit::PostgresDatabase;

use crate::program::support::{Serving, deskbell};

#[derive(Debug, Clone, Copy)]
pub(super) enum Backend {
    Sqlite,
    Postgres,
}

pub(super) struct Sandbox {
    directory: TempDir,
    database: Option<PostgresDatabase>,
}

impl Sandbox {
    /// The example's config, but for the port, and its tables.
    pub(super) async fn new(example: &str, backend: Backend) -> Self {
        let from = super::directory(example);
        let config = std::fs::read_to_string(from.join("deskbell.toml")).unwrap();
        let directory = tempfile::tempdir().unwrap();
        let any_port = format!("[server]\nlisten = \"127.0.0.1:0\"\n\n{config}");
        std::fs::write(directory.path().join("deskbell.toml"), any_port).unwrap();
        let (database, special) = match backend {
            Backend::Sqlite => (None, "schema.sqlite.sql"),
            Backend::Postgres => {
                (Some(PostgresDatabase::with_owner().await), "schema.postgres.sql")
            }
        };
        let sandbox = Self { directory, database };
        let schema = [special, "schema.sql"].map(|name| from.join(name));
        if let Some(schema) = schema.iter().find(|file| file.exists()) {
            sandbox.run(std::fs::read_to_string(schema).unwrap()).await;
        }
        sandbox
    }

    pub(super) fn path(&self) -> PathBuf {
        self.directory.path().to_owned()
    }

    pub(super) fn url(&self) -> String {
        match &self.database {
            None => format!("sqlite://{}", self.path().join("app.db").display()),
            Some(database) => database.url(),
        }
    }

    /// `deskbell serve` with the example's config.
    pub(super) async fn serve(&self) -> Serving {
        let mut command = deskbell(self.directory.path());
        command.env("DATABASE_URL", self.url());
        Serving::of(command).await
    }

    pub(super) async fn run(&self, sql: String) {
        let sql = sqlx::raw_sql(AssertSqlSafe(sql));
        if self.database.is_some() {
            sql.execute(&mut self.postgres().await).await.unwrap();
        } else {
            sql.execute(&mut self.sqlite().await).await.unwrap();
        }
    }

    /// The names and rows that `sqlite3 -header` prints.
    pub(super) async fn query(&self, sql: &str) -> (String, Vec<String>) {
        let sql = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
        if self.database.is_some() {
            let rows = sql.fetch_all(&mut self.postgres().await).await.unwrap();
            (rows.first().map_or_else(String::new, names), rows.iter().map(of_postgres).collect())
        } else {
            let rows = sql.fetch_all(&mut self.sqlite().await).await.unwrap();
            (rows.first().map_or_else(String::new, names), rows.iter().map(of_sqlite).collect())
        }
    }

    async fn sqlite(&self) -> SqliteConnection {
        let options = SqliteConnectOptions::from_str(&self.url()).unwrap();
        options.create_if_missing(true).connect().await.unwrap()
    }

    async fn postgres(&self) -> PgConnection {
        let mut connection = PgConnection::connect(&self.url()).await.unwrap();
        sqlx::raw_sql("SET TIME ZONE 'UTC'").execute(&mut connection).await.unwrap();
        connection
    }
}

fn names(row: &impl Row) -> String {
    row.columns().iter().map(Column::name).collect::<Vec<_>>().join("|")
}

fn of_sqlite(row: &SqliteRow) -> String {
    let text = |index| {
        let number = row.try_get_unchecked::<Option<i64>, _>(index).unwrap_or_default();
        let text: Option<String> = row.get_unchecked(index);
        text.or(number.map(|number| number.to_string())).unwrap_or_default()
    };
    (0..row.len()).map(text).collect::<Vec<_>>().join("|")
}

/// As `sqlite3` shows the same values: 1 for true, and a time with `T` and `Z`.
fn of_postgres(row: &PgRow) -> String {
    let text = |index: usize| {
        let text: Option<String> = row.get_unchecked(index);
        let text = text.unwrap_or_default();
        match (row.column(index).type_info().to_string().as_str(), text.as_str()) {
            ("BOOL", truth) => u8::from(truth == "t").to_string(),
            ("TIMESTAMPTZ", time) => rfc3339(time),
            _ => text,
        }
    };
    (0..row.len()).map(text).collect::<Vec<_>>().join("|")
}

/// `2026-05-06 09:04:22+00` as Deskbell writes it, with its milliseconds.
fn rfc3339(time: &str) -> String {
    let time = time.replace(' ', "T");
    let whole = time.strip_suffix("+00").unwrap_or(&time);
    let (seconds, fraction) = whole.split_once('.').unwrap_or((whole, ""));
    if seconds.is_empty() { String::new() } else { format!("{seconds}.{fraction:0<3}Z") }
}
