//! Rows that wait on unique indexes of which mapped columns are only a part.

use deskbell_store::StoredEvent;
use deskbell_sync::{DatabaseConfig, Expressions, Line, MirrorOptions, OnRowDelete, TableConfig};

use super::application::Application;
use super::mapped::{pairs, user};
use super::support::event;

fn options() -> MirrorOptions {
    let table = TableConfig {
        entity: "user".to_owned(),
        into: "people".to_owned(),
        key: pairs(&[("clerk_id", "user.id")]),
        columns: pairs(&[("email", "user.primary_email_address")]),
        on_insert: Expressions::default(),
        on_delete: OnRowDelete::Delete,
        line: Line(Some(7)),
    };
    MirrorOptions::new(
        "mirror",
        DatabaseConfig { mirror: false, tables: vec![table], ..DatabaseConfig::default() },
    )
}

/// People, with a column of the application's that decides what is unique, and two of its rows: one
/// that is in the way of `a@x.dev`, and one that only looks so.
async fn people(column: &str, unique: &str, other: &str) -> Application {
    let people =
        format!("CREATE TABLE people (clerk_id varchar(40) PRIMARY KEY, email text, {column})");
    let mut app = Application::new(&[&people, unique], options()).await;
    app.apply(&[has("user_2", "a@x.dev", 1)]).await;
    app.run(&format!("INSERT INTO people VALUES ('another', 'a@x.dev', {other})")).await;
    app
}

fn has(id: &str, email: &str, at: i64) -> StoredEvent {
    event(&format!("msg_{id}_{at}"), "user.updated", at, &user(id, email, at))
}

const CASES: [(&str, &str, &str); 3] = [
    (
        "gone boolean DEFAULT false",
        "CREATE UNIQUE INDEX one ON people (email) WHERE NOT gone",
        "true",
    ),
    ("tenant text DEFAULT 'ours'", "CREATE UNIQUE INDEX one ON people (tenant, email)", "'theirs'"),
    (
        "tenant text DEFAULT 'ours'",
        "CREATE UNIQUE INDEX one ON people (email) WHERE tenant = 'ours'",
        "'theirs (one) WHERE'",
    ),
];
const WAITING: &str = "SELECT clerk_id FROM people WHERE clerk_id = 'user_1'";

#[tokio::test]
async fn a_row_is_tried_again_where_what_has_the_same_values_is_not_in_its_way() {
    for (column, unique, other) in CASES {
        let mut app = people(column, unique, other).await;
        app.apply(&[has("user_1", "a@x.dev", 1)]).await;
        assert!(app.rows(WAITING).await.is_empty(), "{unique}");
        app.run("DELETE FROM people WHERE clerk_id = 'user_2'").await;
        app.make_due().await;
        app.apply(&[]).await;
        assert_eq!(app.rows(WAITING).await, [["user_1"]], "{unique}");
        assert!(app.dead_letters().await.is_empty());
    }
}

#[tokio::test]
async fn a_row_is_woken_by_the_one_that_was_in_its_way() {
    for (column, unique, other) in CASES {
        let mut app = people(column, unique, other).await;
        app.apply(&[has("user_1", "a@x.dev", 1)]).await;
        app.apply(&[has("user_2", "b@x.dev", 2)]).await;
        assert_eq!(app.rows(WAITING).await, [["user_1"]], "{unique}");
    }
}
