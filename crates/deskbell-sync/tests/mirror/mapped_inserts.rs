//! Columns that only a new row is given.

use deskbell_sync::{DatabaseConfig, MirrorOptions, OnRowDelete, TableConfig};
use serde_json::json;

use super::application::Application;
use super::mapped::{pairs, user, users};
use super::support::{deleted, event};

/// As Prisma makes it: the id is the client's to give, and `updatedAt` has no default.
const PRISMA_USER: &str = r#"CREATE TABLE "User" ("id" text NOT NULL PRIMARY KEY,
    "clerkId" text NOT NULL UNIQUE, "email" text NOT NULL, "role" varchar(9) NOT NULL,
    "updatedAt" timestamp NOT NULL)"#;

fn mapping(on_insert: &[(&str, &str)]) -> MirrorOptions {
    let table = TableConfig {
        into: "User".to_owned(),
        key: pairs(&[("clerkId", "subject")]),
        columns: pairs(&[
            ("email", "user.primary_email_address"),
            ("updatedAt", "user.updated_at"),
        ]),
        on_insert: pairs(on_insert),
        ..users(OnRowDelete::Delete)
    };
    MirrorOptions::new(
        "mirror",
        DatabaseConfig { mirror: false, tables: vec![table], ..DatabaseConfig::default() },
    )
}

const ROWS: &str = r#"SELECT "id", "clerkId", "email", "role" FROM "User" ORDER BY 2"#;

#[tokio::test]
async fn only_a_new_row_is_given_them_and_a_replay_gives_the_same() {
    let plan = "default(data.public_metadata.role, 'USER')";
    let mut app =
        Application::new(&[PRISMA_USER], mapping(&[("id", "cuid()"), ("role", plan)])).await;
    app.apply(&[event("msg_1", "user.created", 1, &user("user_1", "a@x.dev", 1))]).await;
    let id = "c2yi251pfu881stohh8cvs9vj";
    assert_eq!(app.rows(ROWS).await, [[id, "user_1", "a@x.dev", "USER"]]);
    app.run(r#"UPDATE "User" SET "role" = 'ADMIN'"#).await;
    let mut changed = user("user_1", "b@x.dev", 2);
    changed["public_metadata"] = json!({ "role": "GUEST" });
    app.apply(&[event("msg_2", "user.updated", 2, &changed)]).await;
    assert_eq!(app.rows(ROWS).await, [[id, "user_1", "b@x.dev", "ADMIN"]]);
    // What is made again is what it was, with what its newest version says.
    app.run(r#"DELETE FROM "User""#).await;
    changed["updated_at"] = 3.into();
    app.apply(&[event("msg_3", "user.updated", 3, &changed)]).await;
    assert_eq!(app.rows(ROWS).await, [[id, "user_1", "b@x.dev", "GUEST"]]);
    app.apply(&[event("msg_4", "user.deleted", 4, &deleted("user", "user_1"))]).await;
    assert!(app.rows(ROWS).await.is_empty());
    assert!(app.dead_letters().await.is_empty());
}

#[tokio::test]
async fn rows_that_were_there_before_keep_what_they_have() {
    let on_insert = [("id", "uuid()"), ("role", "'USER'")];
    let mut app = Application::new(&[PRISMA_USER], mapping(&on_insert)).await;
    app.run(r#"INSERT INTO "User" VALUES ('mine', 'user_1', 'old@x.dev', 'ADMIN', '2020-01-01')"#)
        .await;
    app.apply(&[event("msg_1", "user.created", 1, &user("user_1", "a@x.dev", 1))]).await;
    assert_eq!(app.rows(ROWS).await, [["mine", "user_1", "a@x.dev", "ADMIN"]]);
}

#[tokio::test]
async fn the_index_that_a_key_lacks_is_made_by_the_statement_that_the_error_has() {
    let table = PRISMA_USER.replace(" NOT NULL UNIQUE", " NOT NULL");
    let options = mapping(&[("id", "uuid()"), ("role", "'USER'")]);
    let error = Application::refused(&[&table], options.clone()).await;
    let (_, create) = error.split_once("create one: ").expect(&error);
    let mut app = Application::new(&[&table, create], options).await;
    app.apply(&[event("msg_1", "user.created", 1, &user("user_1", "a@x.dev", 1))]).await;
    assert_eq!(app.rows(r#"SELECT "clerkId" FROM "User""#).await, [["user_1"]]);
}

#[tokio::test]
async fn a_column_that_must_be_given_is_named_with_where_to_give_it() {
    let error = Application::refused(&[PRISMA_USER], mapping(&[("id", "uuid()")])).await;
    let expected = "column \"role\" of \"User\" must not be null and has no default: give it in \
                    `columns` or `on_insert`";
    assert!(error.contains(expected), "{error}");
    let unknown = mapping(&[("id", "uuid()"), ("role", "'USER'"), ("rank", "1")]);
    let error = Application::refused(&[PRISMA_USER], unknown).await;
    assert!(error.contains("no column \"rank\""), "{error}");
}
