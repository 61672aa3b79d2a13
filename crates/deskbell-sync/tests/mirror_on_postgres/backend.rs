//! Where a mirror of these tests is: a database of its own on the test server.

use std::ops::Deref;

use deskbell_sync::{DatabaseConfig, MirrorOptions};
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, Column, Connection, PgConnection, Row, TypeInfo};
use testkit::PostgresDatabase;

/// The mirror's tables as its users name them.
pub(crate) const USERS: &str = "clerk.users";
pub(crate) const CHECKPOINTS: &str = "clerk._checkpoints";
/// The statements that the version before made its tables by.
pub(crate) const EARLIER: &str = include_str!("../mirror/schema_1/postgres.sql");
pub(crate) const VERSIONS: &str = "clerk._versions";

/// The type of ids that an application makes itself.
pub(crate) const UUID: &str = "uuid";

/// A type of texts that are equal whatever their case, and what must be there before it.
pub(crate) const CASELESS: &str = "citext";
pub(crate) const BEFORE_CASELESS: &str = "CREATE EXTENSION IF NOT EXISTS citext";
/// Makes `accounts` store addresses in lower case, and refuse silently to remove any.
pub(crate) const LOWER_CASE: &str =
    "CREATE FUNCTION lower_email() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN NEW.email = lower(NEW.email); RETURN NEW; END $$;
    CREATE TRIGGER lower BEFORE INSERT OR UPDATE ON accounts
    FOR EACH ROW EXECUTE FUNCTION lower_email()";
pub(crate) const KEEP_ROWS: &str = "CREATE FUNCTION keep_row() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RETURN NULL; END $$;
    CREATE TRIGGER keep BEFORE DELETE ON accounts FOR EACH ROW EXECUTE FUNCTION keep_row()";
pub(crate) const KEEP_NO_ROWS: &str = "DROP TRIGGER keep ON accounts";

/// The polls by which a run is longer than the one before, where it is dropped at each of them.
pub(crate) const STEP: usize = 3;
/// Cases of a property, each with a mirror of its own.
pub(crate) const CASES: u32 = 24;
/// The same, of an application's table.
pub(crate) const MAPPED_CASES: u32 = 16;
/// Makes the mirror refuse users that are called "at 7", and again not.
pub(crate) const REFUSE_THE_SEVENTH: &str =
    "ALTER TABLE clerk.users ADD CONSTRAINT no_sevens CHECK (first_name <> 'at 7')";
pub(crate) const RELENT: &str = "ALTER TABLE clerk.users DROP CONSTRAINT no_sevens";

pub(crate) const ORGANIZATIONS: &str = "clerk.organizations";
/// A table of the application's that refers to the mirror's users.
pub(crate) const REFERENCE: &str =
    "CREATE TABLE posts (id serial PRIMARY KEY, author text REFERENCES clerk.users (id))";
/// Refuses that the user "user_3" is deleted, and again not.
pub(crate) const REFUSE_DELETES: &str = "CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN IF OLD.id = 'user_3' THEN RAISE 'kept for the books'; END IF; RETURN OLD; END $$;
    CREATE TRIGGER keeps BEFORE DELETE ON clerk.users FOR EACH ROW EXECUTE FUNCTION keep()";
pub(crate) const RELENT_DELETES: &str = "DROP TRIGGER keeps ON clerk.users";
/// Requires by the commit that a membership's organization is there.
pub(crate) const DEFERRED_REFERENCE: &str = "ALTER TABLE clerk.organization_memberships
    ADD FOREIGN KEY (organization_id) REFERENCES clerk.organizations (id)
    DEFERRABLE INITIALLY DEFERRED";
/// Makes every insert of organizations fail, and again not.
pub(crate) const BLOCK_ORGANIZATIONS: &str = "CREATE FUNCTION audit() RETURNS trigger
    LANGUAGE plpgsql AS $$ BEGIN INSERT INTO nowhere VALUES (1); RETURN NULL; END $$;
    CREATE TRIGGER audit BEFORE INSERT ON clerk.organizations
    FOR EACH STATEMENT EXECUTE FUNCTION audit()";
pub(crate) const UNBLOCK_ORGANIZATIONS: &str = "DROP TRIGGER audit ON clerk.organizations";
/// Makes every insert into the application's users fail, and again not.
pub(crate) const BLOCK_APP_USERS: &str = "CREATE FUNCTION app_audit() RETURNS trigger
    LANGUAGE plpgsql AS $$ BEGIN INSERT INTO nowhere VALUES (1); RETURN NULL; END $$;
    CREATE TRIGGER app_audit BEFORE INSERT ON app_users
    FOR EACH STATEMENT EXECUTE FUNCTION app_audit()";
pub(crate) const UNBLOCK_APP_USERS: &str = "DROP TRIGGER app_audit ON app_users";
/// Makes everything due that waits.
pub(crate) const DUE: &str = "UPDATE clerk._dead_letters SET retry_at = '2000-01-01';
    UPDATE clerk._blocked SET retry_at = '2000-01-01'";

/// A place for one mirror, gone when it is dropped.
pub(crate) struct Place(PostgresDatabase);

const EMPTY: &str = "DO $$ DECLARE kept regclass; BEGIN
    FOR kept IN SELECT oid FROM pg_class WHERE relkind = 'r' AND relname NOT IN ('_migrations', '_checkpoints')
        AND relnamespace = to_regnamespace('clerk')
    LOOP EXECUTE format('DELETE FROM %s', kept); END LOOP; END $$";

impl Deref for Place {
    type Target = PostgresDatabase;

    fn deref(&self) -> &PostgresDatabase {
        &self.0
    }
}

impl Place {
    /// Its texts have the order of English words, where the server can do that: what must be in
    /// the order of bytes says so itself.
    pub(crate) async fn new() -> Self {
        let english = "TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en-US'";
        let database = PostgresDatabase::create(&[english, ""]).await;
        // Nothing here ends with the power.
        let relaxed = format!("ALTER DATABASE {} SET synchronous_commit = off", database.name());
        database.server().run(&relaxed).await.unwrap();
        Self(database)
    }

    /// Waits until a mirror waits for a lock that somebody else holds.
    pub(crate) async fn until_waiting(&self) {
        let waiting = "SELECT count(*), 0::bigint FROM pg_stat_activity
            WHERE datname = current_database() AND application_name = 'deskbell'
              AND wait_event_type = 'Lock'";
        while self.pair(waiting).await.0 == 0 {}
    }

    /// Takes the rows of the mirror's tables away, if they are there; to make them again would
    /// take longer.
    pub(crate) async fn empty<'a>(&self, _tables: impl Iterator<Item = &'a str>) {
        self.run(EMPTY).await;
    }

    /// The options, with a place for a mirror that nothing has come to yet.
    pub(crate) async fn another(&self, options: MirrorOptions) -> MirrorOptions {
        self.run(EMPTY).await;
        MirrorOptions {
            database: DatabaseConfig { url: self.url().parse().unwrap(), ..options.database },
            ..options
        }
    }

    /// The two whole numbers that the query finds.
    pub(crate) async fn pair(&self, sql: &str) -> (i64, Option<i64>) {
        let mut connection = self.connection().await;
        let sql = AssertSqlSafe(sql.to_owned());
        sqlx::query_as(sql).fetch_one(&mut connection).await.unwrap()
    }

    /// Makes the database, where that is not done yet.
    pub(crate) async fn make(&self) {
        self.run("SELECT 1").await;
    }

    /// The rows that the query finds, each value as text.
    pub(crate) async fn rows(&self, sql: &str) -> Vec<Vec<String>> {
        let mut connection = self.connection().await;
        let sql = AssertSqlSafe(sql.to_owned());
        // Not prepared, so that every value comes as text.
        let rows = sqlx::raw_sql(sql).fetch_all(&mut connection).await.unwrap();
        rows.iter().map(|row| (0..row.len()).map(|index| text(row, index)).collect()).collect()
    }
}

fn text(row: &PgRow, index: usize) -> String {
    let text: Option<String> = row.get_unchecked(index);
    match (row.column(index).type_info().name(), text.as_deref()) {
        ("BOOL", Some(truth)) => (truth == "t").to_string(),
        (_, text) => text.unwrap_or("null").to_owned(),
    }
}

/// Cases of the property about schemas that refuse, each with a log and a database of its own.
pub(crate) const HOSTILE_CASES: u32 = 8;

/// A schema of an application's that refuses deletes, commits, rows and a table, a lock that somebody
/// holds on, and a role whose rights are taken.
pub(crate) struct Hostile {
    role: String,
    lock: tokio::sync::Mutex<Option<PgConnection>>,
}

const REFUSES: &str = "
    CREATE TABLE posts (author text REFERENCES clerk.users (id));
    CREATE FUNCTION post() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS
    $$ BEGIN INSERT INTO public.posts VALUES (NEW.id); RETURN NEW; END $$;
    CREATE TRIGGER users_post AFTER INSERT ON clerk.users FOR EACH ROW EXECUTE FUNCTION post();
    ALTER TABLE clerk.organization_memberships ADD CONSTRAINT of_organization
        FOREIGN KEY (organization_id) REFERENCES clerk.organizations (id)
        DEFERRABLE INITIALLY DEFERRED;
    CREATE FUNCTION judge() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE 'payment needed' USING ERRCODE = 'PT402'; END $$;
    CREATE TRIGGER seconds BEFORE INSERT ON clerk.organization_domains FOR EACH ROW
        WHEN (NEW.id LIKE '%2%') EXECUTE FUNCTION judge();
    CREATE TRIGGER keeps BEFORE DELETE ON clerk.roles FOR EACH ROW EXECUTE FUNCTION judge();
    ALTER TABLE clerk.invitations ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
    CREATE POLICY odd ON clerk.invitations USING (true) WITH CHECK (id LIKE '%1%');";
const RELENTS: &str = "DROP TABLE posts; DROP TRIGGER users_post ON clerk.users;
    ALTER TABLE clerk.organization_memberships DROP CONSTRAINT of_organization;
    DROP TRIGGER seconds ON clerk.organization_domains; DROP TRIGGER keeps ON clerk.roles;
    DROP POLICY odd ON clerk.invitations;
    ALTER TABLE clerk.invitations DISABLE ROW LEVEL SECURITY";

impl Hostile {
    pub(crate) async fn new(world: &mut super::consumer::World) -> Self {
        let role = super::refusals::with_a_role(world).await;
        world.options.answer_within = std::time::Duration::from_secs(1);
        Self { role, lock: tokio::sync::Mutex::default() }
    }

    pub(crate) async fn refuse(&self, world: &super::consumer::World) {
        world
            .place
            .run(
                "INSERT INTO clerk.organizations (id, raw, _updated_at_ms, _occurred_at_ms,
            _message_id, _mapping_rev) VALUES ('1', '{}', 0, 0, '', 0)",
            )
            .await;
        world.place.run(REFUSES).await;
        world.place.run(&format!("REVOKE INSERT ON clerk.sessions FROM {}", self.role)).await;
        let mut theirs = world.place.connection().await;
        let lock = "BEGIN; SELECT 1 FROM clerk.organizations WHERE id = '1' FOR UPDATE";
        sqlx::raw_sql(lock).execute(&mut theirs).await.unwrap();
        *self.lock.lock().await = Some(theirs);
    }

    pub(crate) async fn relent(&self, world: &super::consumer::World) {
        if let Some(theirs) = self.lock.lock().await.take() {
            theirs.close().await.unwrap();
        }
        world.place.run(RELENTS).await;
        world.place.run(&format!("GRANT INSERT ON clerk.sessions TO {}", self.role)).await;
        world.place.run("DELETE FROM clerk.organizations WHERE _message_id = ''").await;
    }

    pub(crate) async fn end(self, world: super::consumer::World) {
        super::refusals::drop_role(world, &self.role).await;
    }
}
