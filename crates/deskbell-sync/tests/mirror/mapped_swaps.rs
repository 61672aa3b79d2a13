//! Rows that exchange what must be unique: none can go first.

use std::time::Duration;

use deskbell_store::StoredEvent;
use deskbell_sync::{DatabaseConfig, Expressions, Line, MirrorOptions, OnRowDelete, TableConfig};
use serde_json::json;

use super::application::Application;
use super::mapped::{pairs, user};
use super::mapped_keys::permutations;
use super::support::event;

fn options() -> MirrorOptions {
    let table = TableConfig {
        entity: "user".to_owned(),
        into: "people".to_owned(),
        key: pairs(&[("clerk_id", "user.id")]),
        columns: pairs(&[
            ("email", "user.primary_email_address"),
            ("number", "data.public_metadata.number"),
        ]),
        on_insert: Expressions::default(),
        on_delete: OnRowDelete::Delete,
        line: Line(Some(7)),
    };
    MirrorOptions::new(
        "mirror",
        DatabaseConfig { mirror: false, tables: vec![table], ..DatabaseConfig::default() },
    )
}

fn people(email: &str) -> String {
    format!("CREATE TABLE people (clerk_id text PRIMARY KEY, email {email}, number integer)")
}

fn person(id: usize, email: &str, at: i64) -> StoredEvent {
    named(&format!("user_{id}"), email, at)
}

fn named(id: &str, email: &str, at: i64) -> StoredEvent {
    event(&format!("msg_{id}_{at}"), "user.updated", at, &user(id, email, at))
}

const ROWS: &str = "SELECT clerk_id, email FROM people ORDER BY 1";
const ADDRESSES: [&str; 2] = ["a@x.dev", "b@x.dev"];

/// People of one case of a test, each with an address of its own.
fn of_case(case: usize, size: usize) -> Vec<(String, String)> {
    (0..size).map(|id| (format!("user_{case:03}_{id}"), format!("{id}-{case}@x.dev"))).collect()
}

#[tokio::test]
async fn rings_of_two_and_three_come_out_right_in_any_order_and_batching() {
    let checked = "text NOT NULL UNIQUE CHECK (email LIKE '%@%')";
    for column in ["varchar(40) UNIQUE", "varchar(20) NOT NULL UNIQUE", checked] {
        let mut app = Application::new(&[&people(column)], options()).await;
        let mut expected = Vec::new();
        for size in [2, 3] {
            for order in permutations(size) {
                for batch in 1..=size {
                    let people = of_case(expected.len(), size);
                    let before = people.iter().map(|(id, email)| named(id, email, 1));
                    app.apply(&before.collect::<Vec<_>>()).await;
                    let turned =
                        |id: usize| (people[id].0.clone(), people[(id + 1) % size].1.clone());
                    let after = order.iter().map(|id| turned(*id));
                    let after: Vec<_> = after.map(|(id, email)| named(&id, &email, 2)).collect();
                    for events in after.chunks(batch) {
                        app.apply(events).await;
                    }
                    expected.extend((0..size).map(|id| vec![turned(id).0, turned(id).1]));
                }
            }
        }
        assert_eq!(app.rows(ROWS).await, expected, "{column}");
        assert!(app.dead_letters().await.is_empty());
    }
}

#[tokio::test]
async fn a_row_that_waits_for_somebody_else_blocks_no_swap() {
    let mut app = Application::new(&[&people("text NOT NULL UNIQUE")], options()).await;
    app.run("INSERT INTO people (clerk_id, email) VALUES ('ours', 'taken@x.dev')").await;
    app.apply(&[person(0, "a@x.dev", 1), person(1, "b@x.dev", 1), person(2, "taken@x.dev", 1)])
        .await;
    app.apply(&[person(0, "b@x.dev", 2), person(1, "a@x.dev", 2)]).await;
    let rows = app.rows(ROWS).await;
    assert_eq!(rows, [["ours", "taken@x.dev"], ["user_0", "b@x.dev"], ["user_1", "a@x.dev"]]);
    assert!(app.dead_letters().await.is_empty(), "it waits");
}

#[tokio::test]
async fn integers_are_exchanged_too() {
    let table = "CREATE TABLE people (clerk_id text PRIMARY KEY, email text, number integer NOT NULL UNIQUE)";
    let mut app = Application::new(&[table], options()).await;
    let numbered = |id: usize, number: i64, at: i64| {
        let mut data = user(&format!("user_{id}"), ADDRESSES[id], at);
        data["public_metadata"] = json!({ "number": number });
        event(&format!("msg_{id}_{at}"), "user.updated", at, &data)
    };
    app.apply(&[numbered(0, 1, 1), numbered(1, 2, 1)]).await;
    app.apply(&[numbered(1, 1, 2)]).await;
    app.apply(&[numbered(0, 2, 2)]).await;
    let rows = app.rows("SELECT clerk_id, number FROM people ORDER BY 1").await;
    assert_eq!(rows, [["user_0", "2"], ["user_1", "1"]]);
}

#[tokio::test]
async fn where_no_placeholder_fits_both_wait_and_say_what_would_help() {
    let column = "text NOT NULL UNIQUE CHECK (email IN ('a@x.dev', 'b@x.dev'))";
    let mut options = options();
    options.database.conflict_patience = deskbell_config::Duration::new(Duration::ZERO);
    let mut app = Application::new(&[&people(column)], options).await;
    app.apply(&[person(0, "a@x.dev", 1), person(1, "b@x.dev", 1)]).await;
    app.apply(&[person(0, "b@x.dev", 2), person(1, "a@x.dev", 2)]).await;
    assert_eq!(app.rows(ROWS).await, [["user_0", "a@x.dev"], ["user_1", "b@x.dev"]]);
    let letters = app.dead_letters().await;
    assert_eq!(letters.len(), 2);
    let reason = letters[0]["reason"].as_str().unwrap();
    assert!(reason.contains("make the constraint DEFERRABLE"), "{reason}");
}

#[tokio::test]
async fn a_swap_that_is_stuck_is_solved_by_the_next_version_of_one_of_them() {
    let strict = "text NOT NULL UNIQUE CHECK (email LIKE '_@x.dev')";
    let mut options = options();
    options.database.conflict_patience = deskbell_config::Duration::new(Duration::ZERO);
    let mut app = Application::new(&[&people(strict)], options).await;
    app.apply(&[person(0, "a@x.dev", 1), person(1, "b@x.dev", 1)]).await;
    app.apply(&[person(0, "b@x.dev", 2), person(1, "a@x.dev", 2)]).await;
    assert_eq!(app.dead_letters().await.len(), 2);
    app.run("ALTER TABLE people RENAME TO old").await;
    app.run(&people("text NOT NULL UNIQUE")).await;
    app.run("INSERT INTO people SELECT * FROM old; DROP TABLE old").await;
    app.restart().await;
    app.apply(&[person(0, "b@x.dev", 3)]).await;
    assert_eq!(app.rows(ROWS).await, [["user_0", "b@x.dev"], ["user_1", "a@x.dev"]]);
    assert!(app.dead_letters().await.is_empty());
}

#[tokio::test]
async fn only_what_is_exchanged_is_emptied() {
    // No placeholder fits the number, and it stays where it is.
    let number = "number text NOT NULL UNIQUE CHECK (number IN ('1', '2'))";
    let unique = "UNIQUE (kind, email)";
    let kind = "kind text NOT NULL CHECK (kind = 'person')";
    let table = format!(
        "CREATE TABLE people (clerk_id text PRIMARY KEY, email text NOT NULL, {number}, {kind}, {unique})"
    );
    let mut options = options();
    options.database.tables[0].columns.0.push(("kind".to_owned(), "'person'".into()));
    let mut app = Application::new(&[&table], options).await;
    let has = |id: usize, email: &str, at: i64| {
        let mut data = user(&format!("user_{id}"), email, at);
        data["public_metadata"] = json!({ "number": id.to_string() });
        event(&format!("msg_{id}_{at}"), "user.updated", at, &data)
    };
    app.apply(&[has(1, "a@x.dev", 1), has(2, "b@x.dev", 1)]).await;
    app.apply(&[has(1, "b@x.dev", 2), has(2, "a@x.dev", 2)]).await;
    assert_eq!(app.rows(ROWS).await, [["user_1", "b@x.dev"], ["user_2", "a@x.dev"]]);
    assert!(app.dead_letters().await.is_empty());
}
