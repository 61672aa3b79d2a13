//! The application's own tables, filled from the config.

use std::time::Duration;

use deskbell_sync::{
    ColumnValues, DatabaseConfig, Expressions, Line, MirrorOptions, OnRowDelete, TableConfig,
    connect,
};
use serde_json::{Value, json};

use super::application::Application;
use super::support::{deleted, event, membership};

/// Pairs as a config has them.
pub(crate) fn pairs<'a, T: FromIterator<(&'a str, &'a str)>>(pairs: &[(&'a str, &'a str)]) -> T {
    pairs.iter().copied().collect()
}

/// Users by their Clerk id, with columns that are ours and columns that are not.
pub(crate) const USERS: &str = "CREATE TABLE app_users (
    clerk_id varchar(80) PRIMARY KEY, email varchar(80) UNIQUE, name text, plan text,
    age integer DEFAULT 7, deleted boolean NOT NULL DEFAULT false)";
pub(crate) const TEAM: &str = "CREATE TABLE team_members (
    org_id text NOT NULL, user_id text NOT NULL, role text, note text DEFAULT 'none',
    UNIQUE (org_id, user_id))";

pub(crate) fn users(on_delete: OnRowDelete) -> TableConfig {
    TableConfig {
        entity: "user".to_owned(),
        into: "app_users".to_owned(),
        key: pairs(&[("clerk_id", "subject")]),
        columns: pairs(&[
            ("email", "user.primary_email_address"),
            ("name", "user.full_name"),
            ("plan", "data.public_metadata.plan"),
        ]),
        on_insert: Expressions::default(),
        on_delete,
        line: Line(Some(7)),
    }
}

pub(crate) fn team() -> TableConfig {
    TableConfig {
        entity: "organization_membership".to_owned(),
        into: "team_members".to_owned(),
        key: pairs(&[("org_id", "membership.organization_id"), ("user_id", "membership.user_id")]),
        columns: pairs(&[("role", "data.role")]),
        on_insert: Expressions::default(),
        on_delete: OnRowDelete::Delete,
        line: Line(Some(20)),
    }
}

fn options(table: TableConfig) -> MirrorOptions {
    MirrorOptions::new(
        "mirror",
        DatabaseConfig { mirror: false, tables: vec![table], ..DatabaseConfig::default() },
    )
}

/// A user's `data` with this address and version.
pub(crate) fn user(id: &str, email: &str, updated_at: i64) -> Value {
    json!({
        "id": id, "first_name": "Ada", "last_name": id, "updated_at": updated_at,
        "primary_email_address_id": "idn_1",
        "email_addresses": [{ "id": "idn_1", "email_address": email }],
        "public_metadata": { "plan": "pro" },
    })
}

fn member(id: &str, role: &str, created_at: i64, updated_at: i64) -> Value {
    let mut data = membership(id, "org_1", "user_1", updated_at);
    data["role"] = role.into();
    data["created_at"] = created_at.into();
    data
}

const ROWS: &str = "SELECT clerk_id, email, name, plan, age, deleted FROM app_users ORDER BY 1";

#[tokio::test]
async fn mapped_columns_are_filled_and_the_others_left_alone() {
    let mut app = Application::new(&[USERS], options(users(OnRowDelete::Delete))).await;
    app.apply(&[event("msg_1", "user.created", 1, &user("user_1", "a@x.dev", 1))]).await;
    app.run("UPDATE app_users SET age = 40").await;
    app.apply(&[event("msg_2", "user.updated", 2, &user("user_1", "b@x.dev", 2))]).await;
    assert_eq!(app.rows(ROWS).await, [["user_1", "b@x.dev", "Ada user_1", "pro", "40", "false"]]);
    // An older version changes nothing.
    app.apply(&[event("msg_3", "user.updated", 3, &user("user_1", "c@x.dev", 1))]).await;
    assert_eq!(app.rows("SELECT email FROM app_users").await, [["b@x.dev"]]);
    app.apply(&[event("msg_4", "user.deleted", 4, &deleted("user", "user_1"))]).await;
    app.apply(&[event("msg_5", "user.updated", 5, &user("user_1", "d@x.dev", 9))]).await;
    assert!(app.rows(ROWS).await.is_empty());
}

#[tokio::test]
async fn rows_that_were_there_before_are_adopted() {
    let mut app = Application::new(&[USERS], options(users(OnRowDelete::Delete))).await;
    app.run("INSERT INTO app_users (clerk_id, email, age) VALUES ('user_1', 'old@x.dev', 33)")
        .await;
    app.run("INSERT INTO app_users (clerk_id, age) VALUES ('user_2', 34)").await;
    app.apply(&[
        event("msg_1", "user.created", 1, &user("user_1", "a@x.dev", 1)),
        event("msg_2", "user.deleted", 2, &deleted("user", "user_2")),
    ])
    .await;
    let rows = app.rows("SELECT clerk_id, email, age FROM app_users").await;
    assert_eq!(rows, [["user_1", "a@x.dev", "33"]]);
}

#[tokio::test]
async fn a_row_can_stay_and_be_flagged_and_versions_apply_beneath() {
    let set = OnRowDelete::Set(pairs(&[("deleted", "true")]));
    let events = [
        event("msg_1", "user.created", 1, &user("user_1", "a@x.dev", 1)),
        event("msg_2", "user.deleted", 2, &deleted("user", "user_1")),
        event("msg_3", "user.updated", 3, &user("user_1", "b@x.dev", 3)),
    ];
    for order in [[0, 1, 2], [1, 0, 2], [2, 1, 0], [1, 2, 0]] {
        let mut app = Application::new(&[USERS], options(users(set.clone()))).await;
        for index in order {
            app.apply(&[events[index].clone()]).await;
        }
        let expected = [["user_1", "b@x.dev", "Ada user_1", "pro", "7", "true"]];
        assert_eq!(app.rows(ROWS).await, expected, "{order:?}");
    }
}

#[tokio::test]
async fn who_leaves_and_joins_again_stays_whatever_the_order() {
    let joined = "organizationMembership.created";
    let events = [
        event("msg_1", joined, 1, &member("orgmem_1", "org:member", 1, 1)),
        event("msg_2", "organizationMembership.deleted", 2, &member("orgmem_1", "x", 1, 1)),
        event("msg_3", joined, 3, &member("orgmem_2", "org:admin", 3, 3)),
    ];
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        for size in 1..=3 {
            let mut app = Application::new(&[TEAM], options(team())).await;
            let arriving: Vec<_> = order.iter().map(|index| events[*index].clone()).collect();
            for batch in arriving.chunks(size) {
                app.apply(batch).await;
            }
            let rows = app.rows("SELECT org_id, user_id, role FROM team_members").await;
            assert_eq!(rows, [["org_1", "user_1", "org:admin"]], "{order:?} by {size}");
        }
    }
}

#[tokio::test]
async fn a_membership_goes_with_its_organization() {
    let joined =
        event("msg_1", "organizationMembership.created", 1, &member("orgmem_1", "r", 1, 1));
    let gone = event("msg_2", "organization.deleted", 2, &deleted("organization", "org_1"));
    for order in [[0, 1], [1, 0]] {
        let mut app = Application::new(&[TEAM], options(team())).await;
        for index in order {
            app.apply(&[[&joined, &gone][index].clone()]).await;
        }
        assert!(app.rows("SELECT org_id FROM team_members").await.is_empty(), "{order:?}");
    }
}

#[tokio::test]
async fn a_row_whose_key_changes_is_moved_with_what_the_application_has_in_it() {
    let mut by_email = users(OnRowDelete::Delete);
    by_email.key = pairs(&[("email", "user.primary_email_address")]);
    by_email.columns = pairs(&[("clerk_id", "subject"), ("name", "user.full_name")]);
    let mut app = Application::new(&[USERS], options(by_email)).await;
    app.apply(&[event("msg_1", "user.created", 1, &user("user_1", "a@x.dev", 1))]).await;
    app.run("UPDATE app_users SET age = 40").await;
    app.apply(&[event("msg_2", "user.updated", 2, &user("user_1", "b@x.dev", 2))]).await;
    let rows = app.rows("SELECT email, age FROM app_users").await;
    assert_eq!(rows, [["b@x.dev", "40"]]);
}

#[tokio::test]
async fn an_address_that_moves_to_another_user_waits_for_the_first_to_let_it_go() {
    let mut app = Application::new(&[USERS], options(users(OnRowDelete::Delete))).await;
    app.apply(&[event("msg_1", "user.created", 1, &user("user_1", "a@x.dev", 1))]).await;
    app.apply(&[event("msg_2", "user.created", 5, &user("user_2", "a@x.dev", 5))]).await;
    assert_eq!(app.rows("SELECT clerk_id, email FROM app_users").await, [["user_1", "a@x.dev"]]);
    assert!(app.dead_letters().await.is_empty());
    app.apply(&[event("msg_3", "user.updated", 4, &user("user_1", "b@x.dev", 4))]).await;
    let rows = app.rows("SELECT clerk_id, email FROM app_users ORDER BY 1").await;
    assert_eq!(rows, [["user_1", "b@x.dev"], ["user_2", "a@x.dev"]]);
}

#[tokio::test]
async fn two_users_exchange_their_addresses() {
    let mut app = Application::new(&[USERS], options(users(OnRowDelete::Delete))).await;
    app.apply(&[
        event("msg_1", "user.created", 1, &user("user_1", "a@x.dev", 1)),
        event("msg_2", "user.created", 1, &user("user_2", "b@x.dev", 1)),
    ])
    .await;
    app.apply(&[event("msg_3", "user.updated", 2, &user("user_1", "b@x.dev", 2))]).await;
    app.apply(&[event("msg_4", "user.updated", 2, &user("user_2", "a@x.dev", 2))]).await;
    let rows = app.rows("SELECT clerk_id, email FROM app_users ORDER BY 1").await;
    assert_eq!(rows, [["user_1", "b@x.dev"], ["user_2", "a@x.dev"]]);
}

#[tokio::test]
async fn what_conflicts_for_too_long_becomes_a_dead_letter_until_it_is_resolved() {
    let table = options(users(OnRowDelete::Delete));
    let impatient = MirrorOptions {
        database: DatabaseConfig {
            conflict_patience: deskbell_config::Duration::new(Duration::ZERO),
            ..table.database
        },
        ..table
    };
    let mut app = Application::new(&[USERS], impatient).await;
    app.apply(&[event("msg_1", "user.created", 1, &user("user_1", "a@x.dev", 1))]).await;
    app.apply(&[event("msg_2", "user.created", 5, &user("user_2", "a@x.dev", 5))]).await;
    let letters = app.dead_letters().await;
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0]["id"], "user_2");
    assert_eq!(letters[0]["part"], "app_users from user");
    app.apply(&[event("msg_3", "user.updated", 6, &user("user_2", "c@x.dev", 6))]).await;
    assert!(app.dead_letters().await.is_empty());
    assert_eq!(app.rows("SELECT clerk_id FROM app_users").await.len(), 2);
}

#[tokio::test]
async fn a_row_that_does_not_fit_becomes_a_dead_letter_and_the_others_go_on() {
    let mut app = Application::new(
        &["CREATE TABLE app_users (clerk_id text PRIMARY KEY, email text, name text, plan text,
           CHECK (email <> 'no@x.dev'))"],
        options(users(OnRowDelete::Delete)),
    )
    .await;
    app.apply(&[
        event("msg_1", "user.created", 1, &user("user_1", "a@x.dev", 1)),
        event("msg_2", "user.created", 1, &user("user_2", "no@x.dev", 1)),
        event("msg_3", "user.created", 1, &user("user_3", "b@x.dev", 1)),
    ])
    .await;
    assert_eq!(app.rows("SELECT clerk_id FROM app_users").await.len(), 2);
    assert_eq!(app.dead_letters().await.len(), 1);
}

#[tokio::test]
async fn what_does_not_fit_the_database_is_said_before_the_first_event() {
    let with = |change: &dyn Fn(&mut TableConfig)| {
        let mut table = users(OnRowDelete::Delete);
        change(&mut table);
        table
    };
    for (table, message) in [
        (with(&|t| t.into = "nowhere".to_owned()), "the database has no table \"nowhere\""),
        (with(&|t| t.columns = pairs(&[("mail", "id")])), "has no column \"mail\""),
        (
            with(&|t| t.key = pairs(&[("age", "data.created_at")])),
            "no unique index on exactly (age)",
        ),
        (with(&|t| t.columns = pairs(&[("age", "subject")])), "cannot hold a text"),
        (with(&|t| t.columns = pairs(&[("age", "user.birthday")])), "cannot hold a text"),
        (with(&|t| t.columns = pairs(&[("name", "user.full_nam")])), "did you mean `full_name`?"),
        (with(&|t| t.columns = pairs(&[("name", "usr.id")])), "unknown name `usr`"),
        (with(&|t| t.columns = pairs(&[("name", "data.")])), "columns.name: syntax error"),
        (with(&|t| t.entity = "users".to_owned()), "unknown entity \"users\""),
        (with(&|t| t.key = ColumnValues::default()), "needs a key"),
        (with(&|t| t.columns = pairs(&[("clerk_id", "id")])), "\"clerk_id\" is mapped twice"),
    ] {
        let error = Application::refused(&[USERS], options(table)).await;
        assert!(error.contains(message), "{error}");
        assert!(error.contains("line 7 of the config"), "{error}");
    }
    let needy = "CREATE TABLE app_users (clerk_id text PRIMARY KEY, email text, name text,
        plan text, must integer NOT NULL)";
    let error = Application::refused(&[needy], options(users(OnRowDelete::Delete))).await;
    assert!(error.contains("\"must\"") && error.contains("must not be null"), "{error}");
}

#[tokio::test]
async fn a_column_that_is_mapped_later_is_filled_for_old_rows() {
    let few = TableConfig { columns: ColumnValues::default(), ..users(OnRowDelete::Delete) };
    let mut app = Application::new(&[USERS], options(few)).await;
    let created = event("msg_1", "user.created", 1, &user("user_1", "a@x.dev", 1));
    app.apply(std::slice::from_ref(&created)).await;
    assert_eq!(app.rows("SELECT clerk_id, email FROM app_users").await, [["user_1", "null"]]);
    let before = app.options.clone();
    let mut moved = before.clone();
    moved.database.tables[0].line = Line(Some(70));
    app.reopen(options(users(OnRowDelete::Delete))).await;
    let revision = |options: MirrorOptions| async move {
        connect(&options).await.unwrap().mappings().revision()
    };
    assert_eq!(revision(before.clone()).await, revision(moved).await, "wherever it is declared");
    assert_ne!(revision(before).await, revision(app.options.clone()).await);
    app.apply(&[created]).await;
    assert_eq!(app.rows("SELECT clerk_id, email FROM app_users").await, [["user_1", "a@x.dev"]]);
}

#[tokio::test]
async fn a_row_that_is_flagged_keeps_its_values_also_where_other_columns_are_mapped_by_now() {
    let (name, plan) = (("name", "user.full_name"), ("plan", "data.public_metadata.plan"));
    let set = || OnRowDelete::Set(pairs(&[("deleted", "true")]));
    for (before, now) in [(vec![name, plan], vec![plan]), (vec![plan], vec![name, plan])] {
        let with = |columns: &[_]| TableConfig { columns: pairs(columns), ..users(set()) };
        let mut app = Application::new(&[USERS], options(with(&before))).await;
        app.apply(&[event("msg_1", "user.created", 1, &user("user_1", "a@x.dev", 1))]).await;
        app.reopen(options(with(&now))).await;
        // Of events that are no longer in the log only the records know.
        app.apply(&[event("msg_2", "user.deleted", 2, &deleted("user", "user_1"))]).await;
        let rows = app.rows("SELECT plan, deleted FROM app_users").await;
        assert_eq!(rows, [["pro", "true"]], "{before:?} {now:?}");
    }
}
