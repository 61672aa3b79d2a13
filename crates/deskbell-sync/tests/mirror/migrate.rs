//! Whose tables these are, and what is made of ours.

use deskbell_sync::{ConnectError, DatabaseConfig, MirrorOptions, connect};
use sqlx::{AssertSqlSafe, Connection, SqliteConnection};
use tempfile::TempDir;

use super::backend::Place;
use super::support::{Mirror, event, user};

/// A database file that somebody else made, in its own directory.
struct Theirs {
    directory: TempDir,
    options: MirrorOptions,
}

impl Theirs {
    async fn with(sql: &'static str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", directory.path().join("app.db").display());
        let theirs = Self {
            directory,
            options: MirrorOptions::new("mirror", DatabaseConfig::at(url.parse().unwrap())),
        };
        std::fs::write(theirs.directory.path().join("app.db"), "").unwrap();
        theirs.run(sql).await;
        theirs
    }

    async fn run(&self, sql: &str) {
        let mut connection =
            SqliteConnection::connect(&self.options.database.url.with_password()).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }

    fn bytes(&self) -> Vec<u8> {
        std::fs::read(self.directory.path().join("app.db")).unwrap()
    }
}

#[tokio::test]
async fn what_is_not_ours_is_refused_and_not_touched() {
    for (sql, name) in [
        ("CREATE TABLE clerk_users (id INTEGER PRIMARY KEY, email TEXT)", "clerk_users"),
        ("CREATE TABLE Clerk_Users (id TEXT)", "clerk_users"),
        (
            "CREATE TABLE t (id); CREATE VIEW clerk_organizations AS SELECT * FROM t",
            "clerk_organizations",
        ),
        ("CREATE TABLE clerk__migrations (id INTEGER, name TEXT)", "clerk__migrations"),
        ("CREATE TABLE clerk__tombstones (id INTEGER)", "clerk__tombstones"),
    ] {
        let theirs = Theirs::with(sql).await;
        let before = theirs.bytes();
        match connect(&theirs.options).await {
            Err(ConnectError::NotOurs { table }) => assert_eq!(table, name, "{sql}"),
            other => panic!("{sql}: {other:?}"),
        }
        assert_eq!(theirs.bytes(), before, "{sql}");
        assert_eq!(std::fs::read_dir(theirs.directory.path()).unwrap().count(), 1, "{sql}");
    }
}

#[tokio::test]
async fn a_database_of_a_later_program_is_refused_and_not_touched() {
    let theirs = Theirs::with("CREATE TABLE app (id INTEGER)").await;
    connect(&theirs.options).await.unwrap().close().await;
    theirs.run("UPDATE clerk__migrations SET version = 99 WHERE step = 'table clerk_users'").await;
    theirs.run("DROP TABLE clerk_organizations").await;
    let before = theirs.bytes();
    let error = connect(&theirs.options).await.unwrap_err();
    assert!(matches!(error, ConnectError::Newer { found: 99, .. }), "{error:?}");
    assert_eq!(theirs.bytes(), before);
}

#[tokio::test]
async fn other_tables_in_the_file_are_left_alone() {
    let theirs =
        Theirs::with("CREATE TABLE users (id TEXT); INSERT INTO users VALUES ('mine')").await;
    connect(&theirs.options).await.unwrap().close().await;
    let mut connection =
        SqliteConnection::connect(&theirs.options.database.url.with_password()).await.unwrap();
    let id: String =
        sqlx::query_scalar("SELECT id FROM users").fetch_one(&mut connection).await.unwrap();
    assert_eq!(id, "mine");
}

/// Often, and on a file that is not there yet, as it is a race for the change of its journal.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn several_programs_may_start_at_once() {
    let place = Place::new().await;
    for _ in 0..50 {
        let options = place.another(MirrorOptions::default()).await;
        let connecting = (0..4).map(|_| {
            let options = options.clone();
            async move { connect(&options).await.map(drop) }
        });
        let connected = tokio::task::JoinSet::from_iter(connecting).join_all().await;
        assert!(connected.iter().all(Result::is_ok), "{connected:?}");
    }
}

#[tokio::test]
async fn what_is_missing_is_made_and_filled_again() {
    for damage in ["ALTER TABLE clerk_users DROP COLUMN locale", "DROP TABLE clerk_users"] {
        let theirs = Theirs::with("CREATE TABLE app (id INTEGER)").await;
        let target = connect(&theirs.options).await.unwrap();
        let mut checkpoint = deskbell_sync::Checkpoint {
            log_id: deskbell_store::LogId::random(),
            destination: "mirror".to_owned(),
            seq: deskbell_store::Seq::new(7),
            message_id: "msg_7".to_owned(),
            token: deskbell_store::FencingToken::new(1),
            mapping_revision: 5,
            statements: None,
        };
        target.take_over(None, &checkpoint).await.unwrap();
        target.close().await;
        theirs.run(damage).await;
        let target = connect(&theirs.options).await.unwrap();
        checkpoint.mapping_revision = 0;
        assert_eq!(target.checkpoints("mirror").await.unwrap(), [checkpoint], "{damage}");
        target.close().await;
        theirs.run("SELECT locale FROM clerk_users").await;
    }
}

#[tokio::test]
async fn a_start_without_changes_changes_nothing() {
    let theirs = Theirs::with("CREATE TABLE app (id INTEGER)").await;
    connect(&theirs.options).await.unwrap().close().await;
    let before = theirs.bytes();
    connect(&theirs.options).await.unwrap().close().await;
    assert_eq!(theirs.bytes(), before);
}

#[tokio::test]
async fn two_mirrors_share_a_file_under_two_names() {
    let mut one = Mirror::new().await;
    let options = MirrorOptions {
        database: DatabaseConfig { schema: "staging".to_owned(), ..one.options.database.clone() },
        ..one.options.clone()
    };
    connect(&options).await.unwrap().close().await;
    one.apply(&[event("msg_1", "user.created", 1, &user("user_1", 1))]).await;
    let reader =
        deskbell_sync::inspect::MirrorReader::open_schema(&options.database.url, "staging")
            .await
            .unwrap();
    assert!(reader.rows("staging_users").await.unwrap().is_empty());
    assert_eq!(one.ids("users").await, ["user_1"]);
}

#[tokio::test]
async fn options_that_make_no_sense_are_refused() {
    let with = |change: fn(&mut DatabaseConfig)| {
        let mut config = DatabaseConfig::at("sqlite://x.db".parse().unwrap());
        change(&mut config);
        MirrorOptions::new("mirror", config)
    };
    for (options, message) in [
        (with(|o| o.schema = "Clerk".to_owned()), "invalid schema \"Clerk\""),
        (with(|o| o.schema = "a\"b".to_owned()), "invalid schema"),
        (with(|o| o.schema = "_a".to_owned()), "invalid schema"),
        (
            with(|o| o.entities = Some(vec!["users".to_owned()])),
            "unknown entity \"users\"; the entities are user, organization",
        ),
        (with(|o| o.exclude_columns = vec!["user.age".to_owned()]), "unknown column \"user.age\""),
        (with(|o| o.exclude_columns = vec!["email".to_owned()]), "unknown column \"email\""),
        (
            with(|o| o.exclude_columns = vec!["organization_membership.user_id".to_owned()]),
            "\"organization_membership.user_id\" cannot be excluded",
        ),
        (
            with(|o| o.include_columns = vec!["user.locale".to_owned()]),
            "\"user.locale\" in `include_columns` is not excluded by default",
        ),
        (
            with(|o| {
                o.include_columns = vec!["user.private_metadata".to_owned()];
                o.exclude_columns.clone_from(&o.include_columns);
            }),
            "\"user.private_metadata\" is in both",
        ),
    ] {
        let error = connect(&options).await.unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
    assert!(!std::path::Path::new("x.db").exists());
}
