//! Where a mirror of these tests is: a file of its own.

use std::ops::Deref;
use std::sync::atomic::{AtomicU32, Ordering};

use deskbell_sync::{DatabaseConfig, MirrorOptions};
use sqlx::sqlite::SqliteRow;
use sqlx::{Column, Connection, Row, TypeInfo, ValueRef};
use testkit::SqliteFile;

/// The mirror's tables as its users name them.
pub(crate) const USERS: &str = "clerk_users";
pub(crate) const CHECKPOINTS: &str = "clerk__checkpoints";
/// The statements that the version before made its tables by.
pub(crate) const EARLIER: &str = include_str!("schema_1/sqlite.sql");
pub(crate) const VERSIONS: &str = "clerk__versions";

/// The type of ids that an application makes itself.
pub(crate) const UUID: &str = "text";

/// A type of texts that are equal whatever their case, and what must be there before it.
pub(crate) const CASELESS: &str = "text collate nocase";
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

pub(crate) const ORGANIZATIONS: &str = "clerk_organizations";
/// A table of the application's that refers to the mirror's users.
pub(crate) const REFERENCE: &str =
    "CREATE TABLE posts (id integer PRIMARY KEY, author text REFERENCES clerk_users (id))";
/// Refuses that the user "user_3" is deleted, and again not.
pub(crate) const REFUSE_DELETES: &str = "CREATE TRIGGER keeps BEFORE DELETE ON clerk_users
    WHEN OLD.id = 'user_3' BEGIN SELECT RAISE(ABORT, 'kept for the books'); END";
pub(crate) const RELENT_DELETES: &str = "DROP TRIGGER keeps";
/// Requires by the commit that a membership's organization is there.
pub(crate) const DEFERRED_REFERENCE: &str = "
    CREATE TABLE members (id text PRIMARY KEY, organization text
        REFERENCES clerk_organizations (id) DEFERRABLE INITIALLY DEFERRED);
    CREATE TRIGGER members_follow AFTER INSERT ON clerk_organization_memberships
    BEGIN INSERT INTO members VALUES (NEW.id, NEW.organization_id); END";
/// Makes every insert of organizations fail, and again not.
pub(crate) const BLOCK_ORGANIZATIONS: &str =
    "CREATE TRIGGER audit BEFORE INSERT ON clerk_organizations
    BEGIN INSERT INTO nowhere VALUES (NEW.id); END";
pub(crate) const UNBLOCK_ORGANIZATIONS: &str = "DROP TRIGGER audit";
/// Makes every insert into the application's users fail, and again not.
pub(crate) const BLOCK_APP_USERS: &str = "CREATE TRIGGER app_audit BEFORE INSERT ON app_users
    BEGIN INSERT INTO nowhere VALUES (NEW.clerk_id); END";
pub(crate) const UNBLOCK_APP_USERS: &str = "DROP TRIGGER app_audit";
/// Makes everything due that waits.
pub(crate) const DUE: &str = "UPDATE clerk__dead_letters SET retry_at = '2000-01-01T00:00:00.000Z';
    UPDATE clerk__blocked SET retry_at = '2000-01-01T00:00:00.000Z'";

/// A place for one mirror, gone when it is dropped.
pub(crate) struct Place(SqliteFile);

static PLACES: AtomicU32 = AtomicU32::new(0);

impl Deref for Place {
    type Target = SqliteFile;

    fn deref(&self) -> &SqliteFile {
        &self.0
    }
}

impl Place {
    pub(crate) async fn new() -> Self {
        Self(SqliteFile::new("clerk.db"))
    }

    /// Takes the rows of these tables of the mirror away.
    pub(crate) async fn empty(&self, tables: impl Iterator<Item = &str>) {
        let sql: Vec<_> = tables.map(|table| format!("DELETE FROM clerk_{table}")).collect();
        self.run(&sql.join(";")).await;
    }

    /// The options, with a place for a mirror that nothing has come to yet.
    pub(crate) async fn another(&self, options: MirrorOptions) -> MirrorOptions {
        let number = PLACES.fetch_add(1, Ordering::Relaxed);
        let file = self.directory().join(format!("clerk_{number}.db"));
        MirrorOptions {
            database: DatabaseConfig {
                url: format!("sqlite://{}", file.display()).parse().unwrap(),
                ..options.database
            },
            ..options
        }
    }

    /// The two whole numbers that the query finds.
    pub(crate) async fn pair(&self, sql: &str) -> (i64, Option<i64>) {
        let sql = sqlx::AssertSqlSafe(sql.to_owned());
        sqlx::query_as(sql).fetch_one(&mut self.connection().await).await.unwrap()
    }

    /// Makes the database, where that is not done yet.
    pub(crate) async fn make(&self) {
        self.connection().await.close().await.unwrap();
    }

    /// The rows that the query finds, each value as text.
    pub(crate) async fn rows(&self, sql: &str) -> Vec<Vec<String>> {
        let sql = sqlx::AssertSqlSafe(sql.to_owned());
        let rows = sqlx::query(sql).fetch_all(&mut self.connection().await).await.unwrap();
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

/// Cases of the property about schemas that refuse, each with a log and a mirror of its own.
pub(crate) const HOSTILE_CASES: u32 = 32;

/// A schema of an application's that refuses deletes, commits, rows and a table.
pub(crate) struct Hostile;

const REFUSES: &str = "
    CREATE TABLE posts (author text REFERENCES clerk_users (id));
    CREATE TRIGGER users_post AFTER INSERT ON clerk_users
    BEGIN INSERT INTO posts VALUES (NEW.id); END;
    CREATE TABLE members (id text PRIMARY KEY, organization text
        REFERENCES clerk_organizations (id) DEFERRABLE INITIALLY DEFERRED);
    CREATE TRIGGER members_follow AFTER INSERT ON clerk_organization_memberships
    BEGIN INSERT INTO members VALUES (NEW.id, NEW.organization_id) ON CONFLICT DO NOTHING; END;
    CREATE TRIGGER seconds BEFORE INSERT ON clerk_organization_domains
    WHEN NEW.id LIKE '%2%' BEGIN SELECT RAISE(ABORT, 'no seconds'); END;
    CREATE TRIGGER keeps BEFORE DELETE ON clerk_roles BEGIN SELECT RAISE(ABORT, 'kept'); END;
    CREATE TRIGGER audit BEFORE INSERT ON clerk_sessions
    BEGIN INSERT INTO nowhere VALUES (NEW.id); END";
const RELENTS: &str = "DROP TRIGGER users_post; DROP TRIGGER members_follow; DROP TRIGGER seconds;
    DROP TRIGGER keeps; DROP TRIGGER audit; DROP TABLE posts; DROP TABLE members";

impl Hostile {
    pub(crate) async fn new(_: &mut super::consumer::World) -> Self {
        Self
    }

    pub(crate) async fn refuse(&self, world: &super::consumer::World) {
        world.place.run(REFUSES).await;
    }

    pub(crate) async fn relent(&self, world: &super::consumer::World) {
        world.place.run(RELENTS).await;
    }

    pub(crate) async fn end(self, _: super::consumer::World) {}
}
