//! Deletes: absorbing, and taking the children along.

use deskbell_sync::{DatabaseConfig, MirrorOptions};
use serde_json::json;

use super::support::{Mirror, deleted, event, membership, stored, user};

#[tokio::test]
async fn a_deleted_user_does_not_come_back() {
    let mut mirror = Mirror::new().await;
    mirror.apply(&[event("msg_1", "user.created", 1, &user("user_1", 1))]).await;
    mirror.apply(&[event("msg_2", "user.deleted", 2, &deleted("user", "user_1"))]).await;
    assert!(mirror.ids("users").await.is_empty());
    mirror.apply(&[event("msg_3", "user.updated", 9, &user("user_1", 9))]).await;
    assert!(mirror.ids("users").await.is_empty());
    let tombstones = mirror.rows("_tombstones").await;
    assert_eq!(tombstones.len(), 1);
    assert_eq!(tombstones[0]["entity"], json!("user"));
    assert_eq!(tombstones[0]["occurred_at"], json!("1970-01-01T00:00:00.002Z"));
}

#[tokio::test]
async fn a_delete_may_arrive_before_what_it_deletes() {
    let mut mirror = Mirror::new().await;
    mirror.apply(&[event("msg_2", "user.deleted", 2, &deleted("user", "user_1"))]).await;
    mirror.apply(&[event("msg_1", "user.created", 1, &user("user_1", 1))]).await;
    assert!(mirror.ids("users").await.is_empty());
}

#[tokio::test]
async fn what_stands_in_child_tables_goes_with_its_entity() {
    let mut data = user("user_1", 1);
    data["email_addresses"] = json!([{ "id": "idn_1", "email_address": "ada@example.com" }]);
    data["phone_numbers"] = json!([{ "id": "idn_2", "phone_number": "+15555550100" }]);
    data["external_accounts"] = json!([{ "id": "eac_1", "provider": "oauth_google" }]);
    let role = json!({ "id": "role_1", "permissions": [{ "id": "perm_1", "key": "org:a:b" }] });
    let tables = [
        "user_email_addresses",
        "user_phone_numbers",
        "user_external_accounts",
        "role_permissions",
    ];
    let mut mirror = Mirror::new().await;
    mirror
        .apply(&[
            event("msg_1", "user.created", 1, &data),
            event("msg_2", "role.created", 1, &role),
        ])
        .await;
    for table in tables {
        assert_eq!(mirror.ids(table).await.len(), 1, "{table}");
    }
    mirror
        .apply(&[
            event("msg_3", "user.deleted", 2, &deleted("user", "user_1")),
            event("msg_4", "role.deleted", 2, &deleted("role", "role_1")),
        ])
        .await;
    for table in tables {
        assert!(mirror.ids(table).await.is_empty(), "{table}");
    }
}

#[tokio::test]
async fn deprovisioned_is_not_deleted() {
    let mut mirror = Mirror::new().await;
    let data = json!({ "id": "user_1", "deprovisioned": true, "updated_at": 2 });
    mirror.apply(&[event("msg_1", "user.updated", 1, &data)]).await;
    assert_eq!(mirror.rows("users").await[0]["deprovisioned"], json!(true));
}

#[tokio::test]
async fn memberships_go_with_their_user_or_organization_whenever_they_arrive() {
    for parent in ["user", "organization"] {
        let gone = if parent == "user" { "user_1" } else { "org_1" };
        let delete = event("msg_9", &format!("{parent}.deleted"), 9, &deleted(parent, gone));
        let here = membership("orgmem_1", "org_1", "user_1", 1);
        let here = event("msg_1", "organizationMembership.created", 1, &here);
        let other = membership("orgmem_2", "org_2", "user_2", 1);
        let other = event("msg_2", "organizationMembership.created", 1, &other);

        let mut before = Mirror::new().await;
        before.apply(&[here.clone(), other.clone()]).await;
        before.apply(std::slice::from_ref(&delete)).await;
        let mut after = Mirror::new().await;
        after.apply(std::slice::from_ref(&delete)).await;
        after.apply(&[here.clone(), other.clone()]).await;
        let mut together = Mirror::new().await;
        together.apply(&[here, delete, other]).await;

        for mirror in [&before, &after, &together] {
            assert_eq!(mirror.ids("organization_memberships").await, ["orgmem_2"], "{parent}");
        }
        assert_eq!(before.everything().await, after.everything().await, "{parent}");
        assert_eq!(before.everything().await, together.everything().await, "{parent}");
    }
}

#[tokio::test]
async fn a_membership_that_moved_away_stays_when_its_old_organization_goes() {
    let old = event(
        "m1",
        "organizationMembership.created",
        1,
        &membership("orgmem_1", "org_1", "user_1", 1),
    );
    let new = event(
        "m2",
        "organizationMembership.updated",
        2,
        &membership("orgmem_1", "org_2", "user_1", 2),
    );
    let gone = event("m3", "organization.deleted", 3, &deleted("organization", "org_1"));
    let mut mirror = Mirror::new().await;
    for event in [&gone, &old, &new] {
        mirror.apply(std::slice::from_ref(event)).await;
    }
    assert_eq!(mirror.ids("organization_memberships").await, ["orgmem_1"]);
    let gone_too = event("m4", "organization.deleted", 4, &deleted("organization", "org_2"));
    mirror.apply(&[gone_too, old]).await;
    assert!(
        mirror.ids("organization_memberships").await.is_empty(),
        "an older version does not return"
    );
}

#[tokio::test]
async fn a_deleted_membership_bears_the_whole_object_and_is_gone() {
    let mut mirror = Mirror::new().await;
    let data = membership("orgmem_1", "org_1", "user_1", 1);
    mirror.apply(&[event("m1", "organizationMembership.created", 1, &data)]).await;
    mirror.apply(&[event("m2", "organizationMembership.deleted", 1, &data)]).await;
    assert!(mirror.ids("organization_memberships").await.is_empty());
}

#[tokio::test]
async fn parents_that_are_not_mirrored_take_their_children_along_too() {
    let options = MirrorOptions::new(
        "mirror",
        DatabaseConfig {
            entities: Some(vec!["organization_membership".to_owned()]),
            ..DatabaseConfig::default()
        },
    );
    let mut mirror = Mirror::with(options).await;
    let data = membership("orgmem_1", "org_1", "user_1", 1);
    mirror.apply(&[event("m1", "organizationMembership.created", 1, &data)]).await;
    mirror.apply(&[event("m2", "user.deleted", 1, &deleted("user", "user_1"))]).await;
    assert!(mirror.ids("organization_memberships").await.is_empty());
}

/// What goes with an organization or a user: the type of an event, the table that it fills, and
/// which parent it names where.
const FAMILY: [(&str, &str, &str, &str); 5] = [
    ("organizationDomain.updated", "organization_domains", "organization", "/organization_id"),
    (
        "organizationInvitation.accepted",
        "organization_invitations",
        "organization",
        "/organization_id",
    ),
    (
        "organizationMembership.created",
        "organization_memberships",
        "organization",
        "/organization/id",
    ),
    (
        "organizationMembership.created",
        "organization_memberships",
        "user",
        "/public_user_data/user_id",
    ),
    ("session.created", "sessions", "user", "/user_id"),
];

#[tokio::test]
async fn whatever_belongs_to_a_user_or_organization_goes_with_it_whenever_it_arrives() {
    for (event_type, table, parent, names_it) in FAMILY {
        let sample = clerk_webhooks::catalog::find(event_type).unwrap().sample;
        let body: serde_json::Value = serde_json::from_str(sample).unwrap();
        let gone = body["data"].pointer(names_it).unwrap().as_str().unwrap();
        let delete = event("msg_9", &format!("{parent}.deleted"), 9, &deleted(parent, gone));
        let child = event("msg_1", event_type, 1, &body["data"]);

        let mut before = Mirror::of_everything().await;
        before.apply(std::slice::from_ref(&child)).await;
        assert_eq!(before.ids(table).await.len(), 1, "{table}");
        before.apply(std::slice::from_ref(&delete)).await;
        let mut after = Mirror::of_everything().await;
        after.apply(std::slice::from_ref(&delete)).await;
        after.apply(std::slice::from_ref(&child)).await;
        for mirror in [&before, &after] {
            assert_eq!(mirror.ids(table).await.len(), 0, "{table} of a {parent}");
        }
    }
}

#[tokio::test]
async fn what_was_billed_or_sent_stays_when_its_user_or_organization_goes() {
    let mut mirror = Mirror::of_everything().await;
    let kept = [
        ("subscription.created", "subscriptions"),
        ("subscriptionItem.active", "subscription_items"),
        ("paymentAttempt.updated", "payment_attempts"),
        ("sms.created", "sms"),
    ];
    for (event_type, _) in kept {
        let sample = clerk_webhooks::catalog::find(event_type).unwrap().sample;
        mirror.apply(&[stored(&format!("msg_{event_type}"), event_type, 1, sample)]).await;
    }
    for (parent, id) in [
        ("user", "user_3BqBPkbsJsSq0hFDZpRSjtN2bzl"),
        ("organization", "org_3Bq4nV1deqhNqJAUn9Mw0hkvrtw"),
    ] {
        let delete = event(id, &format!("{parent}.deleted"), 9, &deleted(parent, id));
        mirror.apply(&[delete]).await;
    }
    for (_, table) in kept {
        assert_eq!(mirror.ids(table).await.len(), 1, "{table}");
    }
}
