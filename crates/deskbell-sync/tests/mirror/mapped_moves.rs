//! Rows whose key changes: they are moved, with what the application has in them.

use deskbell_store::StoredEvent;
use deskbell_sync::{DatabaseConfig, Expressions, Line, MirrorOptions, OnRowDelete, TableConfig};
use serde_json::json;

use super::application::Application;
use super::mapped::{pairs, user};
use super::support::{deleted, event};

/// Accounts by their address, with a column of the application's.
const ACCOUNTS: &str = "CREATE TABLE accounts (email varchar(40) PRIMARY KEY,
    number integer UNIQUE CHECK (number <> 13), credits integer DEFAULT 0)";

fn options() -> MirrorOptions {
    let table = TableConfig {
        entity: "user".to_owned(),
        into: "accounts".to_owned(),
        key: pairs(&[("email", "user.primary_email_address")]),
        columns: pairs(&[("number", "data.public_metadata.number")]),
        on_insert: Expressions::default(),
        on_delete: OnRowDelete::Delete,
        line: Line(Some(7)),
    };
    MirrorOptions::new(
        "mirror",
        DatabaseConfig { mirror: false, tables: vec![table], ..DatabaseConfig::default() },
    )
}

fn account(id: &str, email: &str, number: i64, at: i64) -> StoredEvent {
    let mut data = user(id, email, at);
    data["public_metadata"] = json!({ "number": number });
    event(&format!("msg_{id}_{at}"), "user.updated", at, &data)
}

const ROWS: &str = "SELECT email, number, credits FROM accounts ORDER BY 1";

async fn with_credits(accounts: &[StoredEvent]) -> Application {
    let mut app = Application::new(&[ACCOUNTS], options()).await;
    app.apply(accounts).await;
    app.run("UPDATE accounts SET credits = 100 + number").await;
    app
}

#[tokio::test]
async fn a_row_keeps_what_the_application_has_in_it_where_another_one_is_refused() {
    for isolated in [false, true] {
        let mut app = with_credits(&[account("user_1", "a@x.dev", 1, 1)]).await;
        let batch = [account("user_1", "b@x.dev", 1, 2), account("user_2", "no@x.dev", 13, 2)];
        if isolated {
            app.apply_isolated(&batch).await;
        } else {
            app.apply(&batch).await;
        }
        assert_eq!(app.rows(ROWS).await, [["b@x.dev", "1", "101"]], "isolated: {isolated}");
        let letters = app.dead_letters().await;
        assert_eq!((letters.len(), &letters[0]["id"]), (1, &json!("user_2")));
    }
}

#[tokio::test]
async fn a_row_that_is_refused_under_its_new_key_stays_as_it_was() {
    let mut app = with_credits(&[account("user_1", "a@x.dev", 1, 1)]).await;
    app.apply(&[account("user_1", "b@x.dev", 13, 2)]).await;
    assert_eq!(app.rows(ROWS).await, [["a@x.dev", "1", "101"]]);
    assert_eq!(app.dead_letters().await.len(), 1);
    app.apply(&[account("user_1", "c@x.dev", 3, 3)]).await;
    assert_eq!(app.rows(ROWS).await, [["c@x.dev", "3", "101"]]);
    assert!(app.dead_letters().await.is_empty());
    app.apply(&[event("msg_9", "user.deleted", 9, &deleted("user", "user_1"))]).await;
    assert!(app.rows(ROWS).await.is_empty());
}

#[tokio::test]
async fn a_row_that_moves_exchanges_what_is_unique_with_one_that_stays() {
    for order in [[0, 1], [1, 0]] {
        for size in [1, 2] {
            let before = [account("user_1", "a@x.dev", 1, 1), account("user_2", "b@x.dev", 2, 1)];
            let mut app = with_credits(&before).await;
            let after = [account("user_1", "c@x.dev", 2, 2), account("user_2", "b@x.dev", 1, 2)];
            let arriving: Vec<_> = order.iter().map(|index| after[*index].clone()).collect();
            for batch in arriving.chunks(size) {
                app.apply(batch).await;
            }
            let expected = [["b@x.dev", "1", "102"], ["c@x.dev", "2", "101"]];
            assert_eq!(app.rows(ROWS).await, expected, "{order:?} by {size}");
            assert!(app.dead_letters().await.is_empty());
        }
    }
}

#[tokio::test]
async fn rows_that_move_exchange_what_is_unique() {
    let before = [account("user_1", "a@x.dev", 1, 1), account("user_2", "b@x.dev", 2, 1)];
    let mut app = with_credits(&before).await;
    app.apply(&[account("user_1", "c@x.dev", 2, 2), account("user_2", "d@x.dev", 1, 2)]).await;
    assert_eq!(app.rows(ROWS).await, [["c@x.dev", "2", "101"], ["d@x.dev", "1", "102"]]);
    assert!(app.dead_letters().await.is_empty());
}

#[tokio::test]
async fn rows_that_take_each_others_place_keep_what_the_application_has_in_them() {
    let before = [("user_1", "a@x.dev"), ("user_2", "b@x.dev"), ("user_3", "c@x.dev")];
    let numbered = |accounts: [(&str, &str); 3], at| {
        let accounts = accounts.into_iter().zip(1..);
        accounts.map(|((id, email), number)| account(id, email, number, at)).collect::<Vec<_>>()
    };
    let after = [("user_1", "b@x.dev"), ("user_2", "c@x.dev"), ("user_3", "d@x.dev")];
    let expected = [["b@x.dev", "1", "101"], ["c@x.dev", "2", "102"], ["d@x.dev", "3", "103"]];
    let mut app = with_credits(&numbered(before, 1)).await;
    app.apply(&numbered(after, 2)).await;
    assert_eq!(app.rows(ROWS).await, expected);
    // A new one takes the place of one that moves.
    app.apply(&[account("user_4", "d@x.dev", 4, 3), account("user_3", "e@x.dev", 3, 3)]).await;
    let rows = app.rows("SELECT email, number, credits FROM accounts WHERE number > 2").await;
    assert_eq!(rows.len(), 2);
    assert!(rows.contains(&["d@x.dev", "4", "0"].map(str::to_owned).to_vec()), "{rows:?}");
    assert!(rows.contains(&["e@x.dev", "3", "103"].map(str::to_owned).to_vec()), "{rows:?}");
    assert!(app.dead_letters().await.is_empty());
}

#[tokio::test]
async fn who_takes_the_place_of_a_row_that_is_refused_elsewhere_gets_it() {
    let mut app = with_credits(&[account("user_1", "a@x.dev", 1, 1)]).await;
    app.apply(&[account("user_2", "a@x.dev", 2, 2), account("user_1", "b@x.dev", 13, 2)]).await;
    let rows = app.rows("SELECT email, number FROM accounts").await;
    assert_eq!(rows, [["a@x.dev", "2"]]);
    let letters = app.dead_letters().await;
    assert_eq!((letters.len(), &letters[0]["id"]), (1, &json!("user_1")));
    app.apply(&[account("user_1", "b@x.dev", 3, 4)]).await;
    assert_eq!(
        app.rows("SELECT email, number FROM accounts ORDER BY 1").await,
        [["a@x.dev", "2"], ["b@x.dev", "3"]]
    );
}
