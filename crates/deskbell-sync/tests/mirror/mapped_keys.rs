//! Keys that the database takes for equal, whatever their bytes.

use deskbell_store::StoredEvent;
use deskbell_sync::{DatabaseConfig, Expressions, Line, MirrorOptions, OnRowDelete, TableConfig};
use serde_json::json;

use super::application::Application;
use super::backend::{BEFORE_CASELESS, CASELESS, KEEP_NO_ROWS, KEEP_ROWS, LOWER_CASE, VERSIONS};
use super::mapped::{pairs, user};
use super::support::{deleted, event};

/// Accounts by their address, with columns of the application's.
fn accounts(kind: &str) -> String {
    format!(
        "CREATE TABLE accounts (email {kind} NOT NULL UNIQUE, clerk_id text, credits integer DEFAULT 0)"
    )
}

const ORDERS: &str = "CREATE TABLE orders (account {} REFERENCES accounts (email) ON DELETE CASCADE ON UPDATE CASCADE)";

pub(crate) fn by_email() -> MirrorOptions {
    let table = TableConfig {
        entity: "user".to_owned(),
        into: "accounts".to_owned(),
        key: pairs(&[("email", "user.primary_email_address")]),
        columns: pairs(&[("clerk_id", "user.id")]),
        on_insert: Expressions::default(),
        on_delete: OnRowDelete::Delete,
        line: Line(Some(7)),
    };
    MirrorOptions::new(
        "mirror",
        DatabaseConfig { mirror: false, tables: vec![table], ..DatabaseConfig::default() },
    )
}

async fn caseless() -> Application {
    let orders = ORDERS.replace("{}", CASELESS);
    Application::new(&[BEFORE_CASELESS, &accounts(CASELESS), &orders], by_email()).await
}

/// Accounts whose addresses are of this kind, which something before makes.
pub(crate) async fn accounts_of(before: &str, kind: &str) -> Application {
    Application::new(&[before, &accounts(kind)], by_email()).await
}

/// A user with this address that was created at a time.
fn created(id: &str, email: &str, at: i64) -> StoredEvent {
    let mut data = user(id, email, at);
    data["created_at"] = json!(at * 1000);
    event(&format!("msg_{id}_{at}"), "user.created", at * 1000, &data)
}

fn gone(id: &str, at: i64) -> StoredEvent {
    event(&format!("msg_{id}_gone"), "user.deleted", at * 1000, &deleted("user", id))
}

const ROWS: &str = "SELECT clerk_id, email, credits FROM accounts";

#[tokio::test]
async fn a_change_of_case_changes_the_row_that_is_there() {
    let mut app = caseless().await;
    app.apply(&[created("user_a", "Ada@x.dev", 1)]).await;
    app.run("UPDATE accounts SET credits = 500").await;
    app.run("INSERT INTO orders VALUES ('ada@x.dev')").await;
    app.apply(&[created("user_a", "ada@x.dev", 2)]).await;
    assert_eq!(app.rows(ROWS).await, [["user_a", "ada@x.dev", "500"]]);
    assert_eq!(app.rows("SELECT count(*) FROM orders").await, [["1"]]);
    app.apply(&[gone("user_a", 3)]).await;
    assert!(app.rows(ROWS).await.is_empty());
}

#[tokio::test]
async fn whoever_came_last_owns_the_row_whatever_the_case_and_the_order() {
    whoever_came_last_owns_the_row(accounts_of(BEFORE_CASELESS, CASELESS).await).await;
}

/// The addresses of these accounts are equal whatever their case.
pub(crate) async fn whoever_came_last_owns_the_row(mut app: Application) {
    let mut expected = Vec::new();
    for order in permutations(4) {
        for size in [1, 2, 4] {
            let case = expected.len();
            let id = |name: &str| format!("user_{case:03}_{name}");
            let events = [
                created(&id("a"), &format!("Ada{case}@x.dev"), 1),
                gone(&id("a"), 3),
                created(&id("b"), &format!("ADA{case}@x.dev"), 5),
                created(&id("c"), &format!("cleo{case}@x.dev"), 5),
            ];
            let arriving: Vec<_> = order.iter().map(|index| events[*index].clone()).collect();
            for batch in arriving.chunks(size) {
                app.apply(batch).await;
            }
            expected.push(vec![id("b"), format!("ADA{case}@x.dev")]);
            expected.push(vec![id("c"), format!("cleo{case}@x.dev")]);
        }
    }
    let rows = app.rows("SELECT clerk_id, email FROM accounts ORDER BY 1").await;
    assert_eq!(rows, expected);
    assert!(app.dead_letters().await.is_empty());
}

#[tokio::test]
async fn an_elder_one_takes_nothing_from_a_younger_one_whatever_the_case() {
    an_elder_one_takes_nothing(accounts_of(BEFORE_CASELESS, CASELESS).await).await;
}

/// The addresses of these accounts are equal whatever their case.
pub(crate) async fn an_elder_one_takes_nothing(mut app: Application) {
    let mut expected = Vec::new();
    for order in permutations(3) {
        for size in [1, 2, 3] {
            let case = expected.len();
            let id = |name: &str| format!("user_{case:03}_{name}");
            let events = [
                created(&id("a"), &format!("Ada{case}@x.dev"), 1),
                created(&id("b"), &format!("aDA{case}@x.dev"), 3),
                created(&id("c"), &format!("ADA{case}@x.dev"), 5),
            ];
            let arriving: Vec<_> = order.iter().map(|index| events[*index].clone()).collect();
            for batch in arriving.chunks(size) {
                app.apply(batch).await;
            }
            expected.push(vec![id("c"), format!("ADA{case}@x.dev")]);
        }
    }
    let rows = app.rows("SELECT clerk_id, email FROM accounts ORDER BY 1").await;
    assert_eq!(rows, expected);
}

pub(crate) fn permutations(size: usize) -> Vec<Vec<usize>> {
    if size == 0 {
        return vec![Vec::new()];
    }
    let shorter = permutations(size - 1).into_iter();
    let with = |order: Vec<usize>| {
        (0..size).map(move |place| {
            let mut longer = order.clone();
            longer.insert(place, size - 1);
            longer
        })
    };
    shorter.flat_map(with).collect()
}

#[tokio::test]
async fn the_address_of_the_younger_one_of_two_stays_when_the_elder_goes() {
    let mut app = caseless().await;
    app.apply(&[created("user_a", "Ada@x.dev", 1), created("user_b", "ada@x.dev", 2)]).await;
    assert_eq!(app.rows(ROWS).await, [["user_b", "ada@x.dev", "0"]]);
    app.apply(&[gone("user_a", 9)]).await;
    assert_eq!(app.rows(ROWS).await, [["user_b", "ada@x.dev", "0"]]);
    app.apply(&[gone("user_b", 9)]).await;
    assert!(app.rows(ROWS).await.is_empty());
}

#[tokio::test]
async fn a_record_from_before_keys_were_the_databases_is_found_by_its_row() {
    let mut app = caseless().await;
    app.apply(&[created("user_b", "Ada@x.dev", 5)]).await;
    let old = "'[\"Ada@x.dev\"]'";
    let sql = format!("UPDATE {VERSIONS} SET key = {old}, shown = {old}, given_key = NULL");
    app.run(&sql).await;
    // An elder one, which does not own the row.
    app.apply(&[created("user_a", "ada@x.dev", 1)]).await;
    assert_eq!(app.rows(ROWS).await, [["user_b", "Ada@x.dev", "0"]]);
    app.apply(&[gone("user_a", 9)]).await;
    assert_eq!(app.rows(ROWS).await, [["user_b", "Ada@x.dev", "0"]]);
    app.apply(&[gone("user_b", 9)]).await;
    assert!(app.rows(ROWS).await.is_empty());
}

/// Accounts by a number, which the version before kept as it was given.
#[tokio::test]
async fn a_key_from_before_that_is_no_text_is_changed_where_it_is() {
    for kind in ["text", "integer", "timestamp"] {
        let mut options = by_email();
        options.database.tables[0].key = pairs(&[("number", "data.public_metadata.number")]);
        options.database.tables[0].columns = pairs(&[("email", "user.primary_email_address")]);
        let table = format!(
            "CREATE TABLE accounts (number {kind} NOT NULL UNIQUE, email text, credits integer DEFAULT 0)"
        );
        let mut app = Application::new(&[&table], options).await;
        let numbered = |id: &str, email: &str, at: i64| {
            let mut data = user(id, email, at);
            (data["created_at"], data["public_metadata"]) = (json!(at), json!({ "number": 1700 }));
            event(&format!("msg_{id}_{at}"), "user.updated", at, &data)
        };
        app.apply(&[numbered("user_1", "a@x.dev", 5)]).await;
        app.run("UPDATE accounts SET credits = 500").await;
        app.run(&format!(
            "UPDATE {VERSIONS} SET key = '[1700]', shown = '[1700]', given_key = NULL"
        ))
        .await;
        // An elder one takes nothing from it.
        app.apply(&[numbered("user_0", "no@x.dev", 1)]).await;
        app.apply(&[numbered("user_1", "b@x.dev", 6)]).await;
        let rows = app.rows("SELECT email, credits FROM accounts").await;
        assert_eq!(rows, [["b@x.dev", "500"]], "{kind}");
        app.apply(&[gone("user_1", 9), gone("user_0", 9)]).await;
        assert!(app.rows("SELECT email FROM accounts").await.is_empty(), "{kind}");
    }
}

#[tokio::test]
async fn what_a_trigger_makes_of_the_key_is_learned() {
    for order in permutations(3) {
        let mut app = Application::new(&[&accounts("text"), LOWER_CASE], by_email()).await;
        let events = [
            created("user_a", "Ada@x.dev", 1),
            created("user_a", "Ada@x.dev", 2),
            created("user_b", "Bob@x.dev", 1),
        ];
        for index in &order {
            app.apply(std::slice::from_ref(&events[*index])).await;
        }
        let rows = app.rows("SELECT clerk_id, email FROM accounts ORDER BY 1").await;
        assert_eq!(rows, [["user_a", "ada@x.dev"], ["user_b", "bob@x.dev"]], "{order:?}");
        app.run("UPDATE accounts SET credits = 7").await;
        app.apply(&[created("user_a", "ADA@x.dev", 4), gone("user_b", 5)]).await;
        assert_eq!(
            app.rows("SELECT clerk_id, email FROM accounts").await,
            [["user_a", "ada@x.dev"]]
        );
        app.apply(&[gone("user_a", 9)]).await;
        assert!(app.rows(ROWS).await.is_empty(), "{order:?}");
        assert!(app.dead_letters().await.is_empty());
    }
}

#[tokio::test]
async fn a_row_that_the_table_keeps_is_told_and_removed_once_it_can_be() {
    let mut app = Application::new(&[&accounts("text"), KEEP_ROWS], by_email()).await;
    app.apply(&[created("user_a", "a@x.dev", 1), created("user_b", "b@x.dev", 1)]).await;
    app.apply(&[gone("user_a", 2)]).await;
    let letters = app.dead_letters().await;
    assert_eq!((letters.len(), &letters[0]["id"]), (1, &json!("user_a")));
    let reason = letters[0]["reason"].as_str().unwrap();
    assert!(reason.contains("deleted no row"), "{reason}");
    app.run(KEEP_NO_ROWS).await;
    app.make_due().await;
    app.apply(&[]).await;
    assert_eq!(app.rows("SELECT clerk_id FROM accounts").await, [["user_b"]]);
    assert!(app.dead_letters().await.is_empty());
}

/// More rows than block a table where they are refused.
const MANY: i64 = 130;

#[tokio::test]
async fn a_table_that_keeps_its_rows_holds_up_no_others() {
    let mut app = Application::new(&[&accounts("text"), KEEP_ROWS], by_email()).await;
    let id = |number: i64| format!("user_{number}");
    let many = (0..MANY).map(|number| created(&id(number), &format!("{number}@x.dev"), 1));
    app.apply(&many.collect::<Vec<_>>()).await;
    let mut batch: Vec<_> = (0..MANY).map(|number| gone(&id(number), 2)).collect();
    batch.push(created("user_x", "x@x.dev", 3));
    app.apply_isolated(&batch).await;
    app.apply(&[created("user_y", "y@x.dev", 4)]).await;
    let others = "SELECT email FROM accounts WHERE email IN ('x@x.dev', 'y@x.dev') ORDER BY 1";
    assert_eq!(app.rows(others).await, [["x@x.dev"], ["y@x.dev"]]);
    assert_eq!(i64::try_from(app.dead_letters().await.len()), Ok(MANY));
    app.run(KEEP_NO_ROWS).await;
    app.make_due().await;
    app.apply(&[]).await;
    assert_eq!(app.rows("SELECT email FROM accounts ORDER BY 1").await, [["x@x.dev"], ["y@x.dev"]]);
    assert!(app.dead_letters().await.is_empty());
}
