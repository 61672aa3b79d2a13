//! Types and constraints of an application's tables that PostgreSQL alone has.

use deskbell_store::StoredEvent;
use deskbell_sync::{
    ColumnValue, DatabaseConfig, LookupConfig, MirrorOptions, OnRowDelete, TableConfig,
};
use serde_json::{Value, json};

use super::application::Application;
use super::mapped::{pairs, user, users};
use super::mapped_keys::{accounts_of, an_elder_one_takes_nothing, whoever_came_last_owns_the_row};
use super::support::{deleted, event};

fn mapping(key: (&str, &str), columns: &[(&str, &str)]) -> MirrorOptions {
    let table =
        TableConfig { key: pairs(&[key]), columns: pairs(columns), ..users(OnRowDelete::Delete) };
    MirrorOptions::new(
        "mirror",
        DatabaseConfig { mirror: false, tables: vec![table], ..DatabaseConfig::default() },
    )
}

fn known_as(external_id: &str, at: i64) -> StoredEvent {
    let mut data = user("user_1", "a@x.dev", at);
    data["external_id"] = json!(external_id);
    event(&format!("msg_{at}"), "user.updated", at, &data)
}

#[tokio::test]
async fn keys_of_other_types_are_equal_as_the_type_says() {
    let upper = "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11";
    let lower = upper.to_lowercase();
    for (kind, one, other, stored) in [
        ("uuid", upper, lower.as_str(), lower.as_str()),
        ("char(8)", "abc", "abc  ", "abc     "),
        ("text COLLATE nocase", "Ab", "aB", "aB"),
    ] {
        let collation = "CREATE COLLATION nocase
            (provider = icu, locale = 'und-u-ks-level2', deterministic = false)";
        let table = format!(
            "CREATE TABLE app_users (ext {kind} NOT NULL UNIQUE, clerk_id text, credits int DEFAULT 0)"
        );
        let options = mapping(("ext", "data.external_id"), &[("clerk_id", "user.id")]);
        let mut app = Application::new(&[collation, &table], options).await;
        app.apply(&[known_as(one, 1)]).await;
        app.run("UPDATE app_users SET credits = 500").await;
        app.apply(&[known_as(other, 2)]).await;
        let rows = app.rows("SELECT ext, credits FROM app_users").await;
        assert_eq!(rows, [[stored, "500"]], "{kind}");
        app.apply(&[event("msg_9", "user.deleted", 9, &deleted("user", "user_1"))]).await;
        assert!(app.rows("SELECT ext FROM app_users").await.is_empty(), "{kind}");
    }
}

#[tokio::test]
async fn a_key_that_is_none_of_its_type_is_refused_alone() {
    let table = "CREATE TABLE app_users (ext uuid NOT NULL UNIQUE, clerk_id text)";
    let options = mapping(("ext", "data.external_id"), &[("clerk_id", "user.id")]);
    let mut app = Application::new(&[table], options).await;
    let mut other = user("user_2", "b@x.dev", 1);
    other["external_id"] = json!("no uuid");
    let uuid = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11";
    app.apply(&[known_as(uuid, 1), event("msg_2", "user.created", 1, &other)]).await;
    assert_eq!(app.rows("SELECT ext FROM app_users").await, [[uuid]]);
    let letters = app.dead_letters().await;
    assert_eq!((letters.len(), &letters[0]["id"]), (1, &json!("user_2")));
}

fn with_metadata(metadata: Value) -> StoredEvent {
    let mut data = user("user_1", "a@x.dev", 1);
    data["public_metadata"] = metadata;
    event("msg_1", "user.updated", 1, &data)
}

#[tokio::test]
async fn lists_and_times_come_as_the_column_has_them() {
    let table = "CREATE TABLE app_users (clerk_id text PRIMARY KEY, tags text[], made timestamp)";
    let columns = [("tags", "data.public_metadata.tags"), ("made", "data.public_metadata.made")];
    let mut app = Application::new(&[table], mapping(("clerk_id", "user.id"), &columns)).await;
    let metadata = json!({ "tags": ["a", "b c", "\"d"], "made": "2026-11-21T10:00:00.5+02:00" });
    app.apply(&[with_metadata(metadata)]).await;
    let rows = app.rows("SELECT tags[2], tags[3], made FROM app_users").await;
    assert_eq!(rows, [["b c", "\"d", "2026-11-21 08:00:00.5"]]);
}

#[tokio::test]
async fn words_of_time_are_no_times() {
    for (kind, word) in [("timestamptz", "now"), ("timetz", "allballs"), ("moment", "today")] {
        let domain = "CREATE DOMAIN moment AS timestamp";
        let table = format!("CREATE TABLE app_users (clerk_id text PRIMARY KEY, made {kind})");
        let columns = [("made", "data.public_metadata.made")];
        let mut app =
            Application::new(&[domain, &table], mapping(("clerk_id", "user.id"), &columns)).await;
        app.apply(&[with_metadata(json!({ "made": word }))]).await;
        assert!(app.rows("SELECT made FROM app_users").await.is_empty(), "{word}");
        let reason = app.dead_letters().await[0]["reason"].to_string();
        assert!(reason.contains("expected a time"), "{reason}");
    }
}

/// Kinds of texts that are equal whatever their case, and what makes them.
const CASELESS: [(&str, &str); 4] = [
    ("text COLLATE nocase", NOCASE),
    ("varchar(40) COLLATE nocase", NOCASE),
    ("ext.citext", "CREATE SCHEMA ext; CREATE EXTENSION citext SCHEMA ext"),
    (
        "address",
        "CREATE SCHEMA ext; CREATE EXTENSION citext SCHEMA ext; CREATE DOMAIN address AS ext.citext",
    ),
];
const NOCASE: &str = "CREATE COLLATION nocase
    (provider = icu, locale = 'und-u-ks-level2', deterministic = false)";

#[tokio::test]
async fn whoever_came_last_owns_the_row_however_texts_are_equal() {
    for (kind, before) in CASELESS {
        whoever_came_last_owns_the_row(accounts_of(before, kind).await).await;
    }
}

#[tokio::test]
async fn an_elder_one_takes_nothing_however_texts_are_equal() {
    for (kind, before) in CASELESS {
        an_elder_one_takes_nothing(accounts_of(before, kind).await).await;
    }
}

#[tokio::test]
async fn an_identity_column_has_a_default() {
    let options = mapping(("clerk_id", "user.id"), &[("number", "data.public_metadata.number")]);
    for kind in ["BY DEFAULT AS IDENTITY (START WITH 7)", "ALWAYS AS IDENTITY (START WITH 7)"] {
        let table = format!(
            "CREATE TABLE app_users (id bigint PRIMARY KEY GENERATED {kind},
             clerk_id text NOT NULL UNIQUE,
             number int NOT NULL GENERATED BY DEFAULT AS IDENTITY (START WITH 70))"
        );
        let mut app = Application::new(&[&table], options.clone()).await;
        app.apply(&[with_metadata(json!({}))]).await;
        let rows = app.rows("SELECT id, number FROM app_users").await;
        assert_eq!(rows, [["7", "70"]], "{kind}");
    }
}

#[tokio::test]
async fn a_deferrable_constraint_is_checked_after_a_swap() {
    for how in ["DEFERRABLE", "DEFERRABLE INITIALLY DEFERRED"] {
        let table = format!(
            "CREATE TABLE app_users (clerk_id text PRIMARY KEY,
             email text NOT NULL UNIQUE {how} CHECK (email IN ('a@x.dev', 'b@x.dev')))"
        );
        let columns = [("email", "user.primary_email_address")];
        let mut app = Application::new(&[&table], mapping(("clerk_id", "user.id"), &columns)).await;
        let has = |id: &str, email: &str, at: i64| {
            event(&format!("msg_{id}_{at}"), "user.updated", at, &user(id, email, at))
        };
        app.apply(&[has("user_1", "a@x.dev", 1), has("user_2", "b@x.dev", 1)]).await;
        app.apply(&[has("user_1", "b@x.dev", 2), has("user_2", "a@x.dev", 2)]).await;
        let rows = app.rows("SELECT clerk_id, email FROM app_users ORDER BY 1").await;
        assert_eq!(rows, [["user_1", "b@x.dev"], ["user_2", "a@x.dev"]], "{how}");
    }
}

#[tokio::test]
async fn a_key_whose_index_will_not_do_is_refused_with_why() {
    let table = "CREATE TABLE app_users (clerk_id text UNIQUE DEFERRABLE, email text)";
    let columns = [("email", "user.primary_email_address")];
    let options = mapping(("clerk_id", "user.id"), &columns);
    let error = Application::refused(&[table], options).await;
    assert!(error.contains("it is DEFERRABLE"), "{error}");
}

/// How often this table was read whole.
const WHOLE_READS: &str = "SELECT seq_scan, idx_scan FROM pg_stat_user_tables
    WHERE relname IN ('app_users', '_versions') ORDER BY relname";

#[tokio::test]
async fn no_statement_reads_a_whole_table() {
    let (nocase, elsewhere) = (CASELESS[0], CASELESS[2]);
    for (kind, before) in [("citext", "CREATE EXTENSION citext"), nocase, elsewhere] {
        for unique in ["(clerk_id)", "(clerk_id) WHERE NOT gone"] {
            no_statement_reads_a_whole_table_of(kind, before, unique).await;
        }
    }
}

async fn no_statement_reads_a_whole_table_of(kind: &str, before: &str, unique: &str) {
    let table = format!(
        "{before}; CREATE TABLE app_users (email {kind} NOT NULL UNIQUE, clerk_id text,
             gone boolean DEFAULT false); CREATE UNIQUE INDEX one ON app_users {unique};
         INSERT INTO app_users SELECT 'ours' || n, n FROM generate_series(1, 20000) n"
    );
    let options = mapping(("email", "user.primary_email_address"), &[("clerk_id", "user.id")]);
    let mut app = Application::new(&[&table], options).await;
    let first = (0..1000).map(|n| user(&format!("user_{n}"), &format!("U{n}@x.dev"), 1));
    let first: Vec<_> = first.collect();
    let first = first.iter().map(|data| event("msg_1", "user.created", 1, data));
    app.apply(&first.collect::<Vec<_>>()).await;
    // What is read whole all the same has no index that would do.
    app.run("ANALYZE; DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET enable_seqscan = off', current_database()); END $$").await;
    app.restart().await;
    let before = app.rows(WHOLE_READS).await;
    let changed = (0..20).map(|n| {
        let data = user(&format!("user_{n}"), &format!("u{}@x.dev", (n + 1) % 20), 2);
        event(&format!("msg_2{n}"), "user.updated", 2, &data)
    });
    app.apply(&changed.collect::<Vec<_>>()).await;
    let gone = event("msg_9", "user.deleted", 9, &deleted("user", "user_3"));
    app.apply(&[gone]).await;
    app.restart().await;
    let after = app.rows(WHOLE_READS).await;
    let read = |rows: &[Vec<String>]| rows.iter().map(|row| row[0].clone()).collect::<Vec<_>>();
    assert_eq!(read(&after), read(&before), "{kind} {unique}: {before:?} {after:?}");
    assert_ne!(after, before, "the indexes were read");
}

#[tokio::test]
async fn a_lookup_of_another_type_is_refused_with_both() {
    let teams = "CREATE TABLE teams (id bigint PRIMARY KEY, clerk_id text NOT NULL UNIQUE)";
    let people = "CREATE TABLE app_users (clerk_id text PRIMARY KEY, team uuid)";
    let team = ColumnValue::Lookup(LookupConfig {
        lookup: "teams".to_owned(),
        by: pairs(&[("clerk_id", "data.public_metadata.team")]),
        column: "id".to_owned(),
    });
    let mut options = mapping(("clerk_id", "subject"), &[]);
    options.database.tables[0].columns.0.push(("team".to_owned(), team));
    let error = Application::refused(&[teams, people], options).await;
    let expected = "column \"team\" is uuid, and \"teams.id\", which it is looked up in, is bigint";
    assert!(error.contains(expected), "{error}");
}
