//! A flag in the place of a delete.

use serde_json::json;

use super::converges;
use super::samples::event;

#[tokio::test]
async fn the_newest_version_stands_beneath_the_flag_whatever_the_order() {
    let user = |event_type, at, id: &str, address: &str| {
        let values = [
            ("/data/id", json!(id)),
            ("/data/email_addresses", json!([{ "id": "idn_1", "email_address": address }])),
            ("/data/primary_email_address_id", json!("idn_1")),
        ];
        event(event_type, at, &values)
    };
    let events = [
        user("user.created", 1_800_000_000_001, "user_ada", "ada@old.example"),
        user("user.created", 1_800_000_000_002, "user_bob", "bob@x.example"),
        user("user.updated", 1_800_000_000_003, "user_ada", "ada@new.example"),
        event("user.deleted", 1_800_000_000_004, &[("/data/id", json!("user_ada"))]),
        event("user.deleted", 1_800_000_000_005, &[("/data/id", json!("user_never_seen"))]),
    ];
    converges(
        "soft-delete",
        &events,
        "select clerk_id, email, deleted, deleted_at, note from customers order by clerk_id",
        &["user_ada|ada@new.example|1|2027-01-15T08:00:00.004Z|", "user_bob|bob@x.example|0||"],
    )
    .await;
}
