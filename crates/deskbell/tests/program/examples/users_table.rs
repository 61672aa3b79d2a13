//! Users into a table that is there already.

use serde_json::{Value, json};

use super::converges;
use super::samples::event;

#[tokio::test]
async fn rows_are_adopted_and_addresses_move_whatever_the_order() {
    let user = |event_type, at, id: &str, address: &str, plan: Value| {
        let values = [
            ("/data/id", json!(id)),
            ("/data/email_addresses", json!([{ "id": "idn_1", "email_address": address }])),
            ("/data/primary_email_address_id", json!("idn_1")),
            ("/data/public_metadata", plan),
        ];
        event(event_type, at, &values)
    };
    let (free, pro) = (json!({}), json!({ "plan": "pro" }));
    let events = [
        user("user.created", 1_800_000_000_001, "user_bob", "bob@x.example", free.clone()),
        user("user.updated", 1_800_000_000_002, "user_ada", "ada@old.example", free.clone()),
        event("user.deleted", 1_800_000_000_003, &[("/data/id", json!("user_bob"))]),
        user("user.updated", 1_800_000_000_004, "user_ada", "ada@new.example", pro),
        user("user.created", 1_800_000_000_005, "user_eve", "ada@old.example", free),
    ];
    converges(
        "users-table",
        &events,
        "select clerk_id, email, name, plan, theme, credits from users order by clerk_id",
        &[
            "user_ada|ada@new.example|Mira Lindqvist|pro|dark|250",
            "user_eve|ada@old.example|Mira Lindqvist||light|10",
        ],
    )
    .await;
}
