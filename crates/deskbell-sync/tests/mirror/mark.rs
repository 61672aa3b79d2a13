//! With `on_delete = "mark"` rows stay, and say when they were deleted.

use deskbell_sync::{DatabaseConfig, MirrorOptions, OnDelete};
use serde_json::{Value, json};

use super::support::{Mirror, deleted, event, membership, user};

const SECOND: &str = "1970-01-01T00:00:01.000Z";
const THIRD: &str = "1970-01-01T00:00:02.000Z";

async fn keeping() -> Mirror {
    Mirror::with(MirrorOptions::new(
        "mirror",
        DatabaseConfig { on_delete: OnDelete::Mark, ..DatabaseConfig::default() },
    ))
    .await
}

async fn marks(mirror: &Mirror, table: &str) -> Vec<(String, Value)> {
    let rows = mirror.rows(table).await;
    let mark = |mut row: serde_json::Map<String, Value>| {
        (row["id"].as_str().unwrap().to_owned(), row.remove("deleted_at").unwrap())
    };
    rows.into_iter().map(mark).collect()
}

#[tokio::test]
async fn a_version_that_comes_after_the_delete_applies_beneath_the_mark() {
    let created = event("msg_1", "user.created", 1, &user("user_1", 1));
    let gone = event("msg_2", "user.deleted", 1000, &deleted("user", "user_1"));
    let updated = event("msg_3", "user.updated", 500, &user("user_1", 9));
    let events = [created, gone, updated];
    for order in [[0, 1, 2], [1, 0, 2], [2, 1, 0], [1, 2, 0]] {
        let mut mirror = keeping().await;
        for index in order {
            mirror.apply(&[events[index].clone()]).await;
        }
        assert_eq!(marks(&mirror, "users").await, [("user_1".to_owned(), json!(SECOND))]);
        assert_eq!(mirror.rows("users").await[0]["first_name"], json!("at 9"), "{order:?}");
        let mut at_once = keeping().await;
        at_once.apply(&order.map(|index| events[index].clone())).await;
        assert_eq!(at_once.everything().await, mirror.everything().await, "{order:?}");
    }
}

#[tokio::test]
async fn what_ends_with_its_parent_bears_the_earliest_mark() {
    let gone = deleted("organization", "org_1");
    let events = [
        event(
            "msg_1",
            "organizationMembership.created",
            1,
            &membership("orgmem_1", "org_1", "user_1", 1),
        ),
        event("msg_2", "organization.deleted", 1000, &gone),
        event("msg_3", "user.deleted", 2000, &deleted("user", "user_1")),
    ];
    for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2], [2, 0, 1]] {
        let mut mirror = keeping().await;
        for index in order {
            mirror.apply(&[events[index].clone()]).await;
        }
        let marks = marks(&mirror, "organization_memberships").await;
        assert_eq!(marks, [("orgmem_1".to_owned(), json!(SECOND))], "{order:?}");
    }
}

#[tokio::test]
async fn a_membership_that_moves_to_a_living_organization_loses_its_mark() {
    let mut mirror = keeping().await;
    let created = "organizationMembership.created";
    mirror
        .apply(&[
            event("msg_1", created, 1, &membership("orgmem_1", "org_1", "user_1", 1)),
            event("msg_2", "organization.deleted", 2000, &deleted("organization", "org_1")),
        ])
        .await;
    let before = marks(&mirror, "organization_memberships").await;
    assert_eq!(before, [("orgmem_1".to_owned(), json!(THIRD))]);
    let moved = membership("orgmem_1", "org_2", "user_1", 4_000_000_000_000);
    mirror.apply(&[event("msg_3", "organizationMembership.updated", 1, &moved)]).await;
    let after = marks(&mirror, "organization_memberships").await;
    assert_eq!(after, [("orgmem_1".to_owned(), Value::Null)]);
}
