//! The least rights that do: the SQL is that of `docs/postgresql.md`.

use deskbell_sync::inspect::MirrorReader;
use deskbell_sync::{ConnectError, DatabaseConfig, MirrorOptions, connect, migration};

use super::backend::Place;
use super::support::{Mirror, deleted, event, user};

const PAGE: &str = include_str!("../../../../docs/postgresql.md");

/// A database in which nobody has a right that was not given, and roles with names of their own.
struct Guarded {
    place: Place,
    roles: Vec<String>,
}

impl Guarded {
    async fn new() -> Self {
        let place = Place::new().await;
        place.run(&format!("REVOKE ALL ON DATABASE {} FROM PUBLIC", place.name())).await;
        place.run("REVOKE ALL ON SCHEMA public FROM PUBLIC").await;
        place.run("CREATE SCHEMA secret; CREATE TABLE secret.users (id int)").await;
        Self { place, roles: Vec::new() }
    }

    /// Runs the page's SQL below this heading; the role that it makes.
    async fn give(&mut self, heading: &str) -> String {
        let (_, section) = PAGE.split_once(&format!("## {heading}\n")).expect(heading);
        let (_, code) = section.split_once("```sql\n").unwrap();
        let (code, _) = code.split_once("```").unwrap();
        let role = format!("{}_{}", self.place.name(), self.roles.len());
        let name = if code.contains("deskbell_reader") { "deskbell_reader" } else { "deskbell" };
        let code = code.replace(name, &role);
        let code = code.replace("DATABASE app", &format!("DATABASE {}", self.place.name()));
        self.place.run(&code).await;
        self.roles.push(role.clone());
        role
    }

    fn options(&self, role: &str) -> MirrorOptions {
        let url = self.place.url_of(role, "choose-one");
        MirrorOptions::new("mirror", DatabaseConfig::at(url.parse().unwrap()))
    }

    async fn drop(self) {
        for role in &self.roles {
            self.place.run(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
        }
    }
}

/// Makes a row, changes it, and takes it away again.
async fn works(options: MirrorOptions) {
    let mut mirror = Mirror::at(options).await;
    mirror.apply(&[event("msg_1", "user.created", 1, &user("user_1", 1))]).await;
    mirror.apply(&[event("msg_2", "user.updated", 2, &user("user_1", 2))]).await;
    assert_eq!(mirror.rows("users").await[0]["first_name"], "at 2");
    mirror.apply(&[event("msg_3", "user.deleted", 3, &deleted("user", "user_1"))]).await;
    mirror.apply(&[event("msg_4", "user.created", 4, &user("user_2", 1))]).await;
    assert_eq!(mirror.ids("users").await, ["user_2"]);
    mirror.close().await;
}

#[tokio::test]
async fn a_role_that_owns_only_the_schema_can_do_everything() {
    let mut guarded = Guarded::new().await;
    let role = guarded.give("A role that owns only the schema").await;
    let options = guarded.options(&role);
    works(options.clone()).await;
    let owner =
        "SELECT count(*), 0::bigint FROM pg_tables WHERE schemaname = 'clerk' AND tableowner = '";
    assert!(guarded.place.pair(&format!("{owner}{role}'")).await.0 > 15);
    // A column that is added later.
    guarded.place.run("ALTER TABLE clerk.users DROP COLUMN locale").await;
    connect(&options).await.unwrap().close().await;
    guarded.place.run("SELECT locale FROM clerk.users").await;
    let reader = guarded.give("A role that only reads").await;
    let reader = MirrorReader::open(&guarded.options(&reader).database.url).await.unwrap();
    assert_eq!(reader.rows("users").await.unwrap()[0]["id"], "user_2");
    drop(reader);
    guarded.drop().await;
}

#[tokio::test]
async fn a_role_that_may_not_make_tables_applies_once_they_are_there() {
    let mut guarded = Guarded::new().await;
    let made_by =
        MirrorOptions::new("mirror", DatabaseConfig::at(guarded.place.url().parse().unwrap()));
    migration::apply(&made_by.database).await.unwrap();
    let role = guarded.give("A role that cannot create tables").await;
    let mut options = guarded.options(&role);
    options.database.auto_migrate = false;
    works(options.clone()).await;
    // It says what is missing, and cannot make it.
    guarded.place.run("DROP TABLE clerk.roles").await;
    match connect(&options).await.unwrap_err() {
        ConnectError::NotMigrated { missing } => {
            assert!(missing.contains(&"table roles".to_owned()));
        }
        other => panic!("{other:?}"),
    }
    let refused = connect(&MirrorOptions {
        database: DatabaseConfig { auto_migrate: true, ..options.database },
        ..options
    })
    .await
    .unwrap_err();
    assert!(matches!(refused, ConnectError::Database(_)), "{refused:?}");
    guarded.drop().await;
}
