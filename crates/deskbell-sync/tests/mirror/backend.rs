//! Where a mirror of these tests is: a file of its own.

use std::str::FromStr;
use std::sync::atomic::{AtomicU32, Ordering};

use deskbell_sync::MirrorOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteRow};
use sqlx::{Column, ConnectOptions, Connection, Row, TypeInfo, ValueRef};
use tempfile::TempDir;

/// The mirror's tables as its users name them.
pub(crate) const USERS: &str = "clerk_users";
pub(crate) const CHECKPOINTS: &str = "clerk__checkpoints";
pub(crate) const VERSIONS: &str = "clerk__versions";

/// A type of texts that are equal whatever their case, and what must be there before it.
pub(crate) const CASELESS: &str = "text COLLATE NOCASE";
pub(crate) const BEFORE_CASELESS: &str = "SELECT 1";
/// Makes `accounts` store addresses in lower case, and refuse silently to remove any.
pub(crate) const LOWER_CASE: &str = "CREATE TRIGGER lower AFTER INSERT ON accounts
    WHEN NEW.email <> lower(NEW.email)
    BEGIN UPDATE accounts SET email = lower(email) WHERE rowid = NEW.rowid; END;
    CREATE TRIGGER still_lower AFTER UPDATE ON accounts WHEN NEW.email <> lower(NEW.email)
    BEGIN UPDATE accounts SET email = lower(email) WHERE rowid = NEW.rowid; END";
pub(crate) const KEEP_ROWS: &str = "CREATE TRIGGER keep BEFORE DELETE ON accounts
    BEGIN SELECT RAISE(IGNORE); END";
pub(crate) const KEEP_NO_ROWS: &str = "DROP TRIGGER keep";

/// The polls by which a run is longer than the one before, where it is dropped at each of them.
pub(crate) const STEP: usize = 1;
/// Cases of a property, each with a mirror of its own.
pub(crate) const CASES: u32 = 128;
/// The same, of an application's table.
pub(crate) const MAPPED_CASES: u32 = 96;
/// Makes the mirror refuse users that are called "at 7", and again not.
pub(crate) const REFUSE_THE_SEVENTH: &str = "CREATE TRIGGER seventh BEFORE INSERT ON clerk_users
    WHEN NEW.first_name = 'at 7' BEGIN SELECT RAISE(ABORT, 'no_sevens'); END";
pub(crate) const RELENT: &str = "DROP TRIGGER seventh";

/// A place for one mirror, gone when it is dropped.
pub(crate) struct Place(TempDir);

static PLACES: AtomicU32 = AtomicU32::new(0);

impl Place {
    pub(crate) async fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn url(&self) -> String {
        format!("sqlite://{}", self.0.path().join("clerk.db").display())
    }

    /// Takes the rows of these tables of the mirror away.
    pub(crate) async fn empty(&self, tables: impl Iterator<Item = &str>) {
        let sql: Vec<_> = tables.map(|table| format!("DELETE FROM clerk_{table}")).collect();
        self.run(&sql.join(";")).await;
    }

    /// The options, with a place for a mirror that nothing has come to yet.
    pub(crate) async fn another(&self, options: MirrorOptions) -> MirrorOptions {
        let number = PLACES.fetch_add(1, Ordering::Relaxed);
        let file = self.0.path().join(format!("clerk_{number}.db"));
        MirrorOptions { url: format!("sqlite://{}", file.display()), ..options }
    }

    /// The two whole numbers that the query finds.
    pub(crate) async fn pair(&self, sql: &str) -> (i64, Option<i64>) {
        let pool = sqlx::SqlitePool::connect(&self.url()).await.unwrap();
        let sql = sqlx::AssertSqlSafe(sql.to_owned());
        sqlx::query_as(sql).fetch_one(&pool).await.unwrap()
    }

    pub(crate) async fn run(&self, sql: &str) {
        let pool = sqlx::SqlitePool::connect(&self.url()).await.unwrap();
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned())).execute(&pool).await.unwrap();
    }

    /// Makes the database, where that is not done yet.
    pub(crate) async fn make(&self) {
        let options = SqliteConnectOptions::from_str(&self.url()).unwrap().create_if_missing(true);
        options.connect().await.unwrap().close().await.unwrap();
    }

    /// The rows that the query finds, each value as text.
    pub(crate) async fn rows(&self, sql: &str) -> Vec<Vec<String>> {
        let pool = sqlx::SqlitePool::connect(&self.url()).await.unwrap();
        let sql = sqlx::AssertSqlSafe(sql.to_owned());
        let rows = sqlx::query(sql).fetch_all(&pool).await.unwrap();
        rows.iter().map(|row| (0..row.len()).map(|index| text(row, index)).collect()).collect()
    }
}

fn text(row: &SqliteRow, index: usize) -> String {
    if row.try_get_raw(index).unwrap().is_null() {
        return "null".to_owned();
    }
    match row.column(index).type_info().name() {
        "BOOLEAN" => row.get::<bool, _>(index).to_string(),
        "INTEGER" => row.get::<i64, _>(index).to_string(),
        _ => row.get_unchecked(index),
    }
}
