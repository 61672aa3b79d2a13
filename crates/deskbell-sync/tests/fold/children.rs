//! Lists that have tables of their own.

use std::sync::Arc;

use deskbell_sync::{Batch, Mappings};
use serde_json::{Value, json};

use super::support::{event, everything, fold, fold_to, printed, row, written};

fn ada() -> Value {
    json!({
        "id": "user_1",
        "email_addresses": [
            { "id": "idn_2", "email_address": "ada@example.com", "reserved": false, "created_at": 1_654_012_591_000_i64,
              "verification": { "status": "verified", "strategy": "email_code", "nonce": "secret" } },
            { "id": "idn_1", "email_address": "first@example.com", "verification": null },
        ],
        "phone_numbers": [{
            "id": "idn_3", "phone_number": "+15555550100", "default_second_factor": true, "backup_codes": ["secret"],
            "verification": { "status": "unverified", "strategy": "phone_code" },
        }],
        "external_accounts": [{
            "id": "eac_1", "object": "external_account", "provider": "oauth_google", "provider_user_id": "1093",
            "identification_id": "idn_4", "approved_scopes": "email openid", "email_address": "ada@example.com",
            "first_name": "Ada", "avatar_url": "https://img.clerk.com/x", "label": null,
            "public_metadata": { "nonce": "the application's own" }, "private_metadata": { "x": "secret" },
            "verification": { "status": "verified", "strategy": "oauth_google", "external_verification_redirect_url": "secret" },
        }],
    })
}

fn folded(data: &Value) -> Batch {
    fold(&[event("msg_1", "user.updated", 1, data)])
}

/// The ids in one of the user's child tables.
fn ids(batch: &Batch, index: usize) -> Vec<&str> {
    row(batch, "user", "user_1").children[index].iter().map(|child| &*child.id).collect()
}

#[test]
fn a_users_addresses_numbers_and_accounts_are_rows() {
    let printed = printed(&folded(&ada()), &everything());
    assert!(!printed.contains("secret"));
    let (_, children) = printed.split_once("\n  user_email_addresses").unwrap();
    insta::assert_snapshot!("children_of_a_user", format!("user_email_addresses{children}"));
}

#[test]
fn rows_are_in_order_and_each_id_is_there_once() {
    let data = json!({
        "id": "user_1",
        "email_addresses": [
            { "id": "b", "email_address": "1" }, { "id": "a", "email_address": "2" },
            { "id": "é", "email_address": "3" }, { "id": "B", "email_address": "4" },
            { "id": "b", "email_address": "5" },
        ],
    });
    let batch = folded(&data);
    assert_eq!(ids(&batch, 0), ["B", "a", "b", "é"]);
    let twice = &row(&batch, "user", "user_1").children[0][2];
    assert_eq!(written(&twice.values[1]), "\"5\"");
    assert_eq!(twice.raw, r#"{"email_address":"5","id":"b"}"#);
}

#[test]
fn an_element_without_an_id_goes_by_its_address_or_not_at_all() {
    let long = "x".repeat(256);
    let data = json!({
        "id": "user_1",
        "email_addresses": [
            { "email_address": "a@example.com" }, { "id": null, "email_address": "b@example.com" },
            { "id": "", "email_address": "c@example.com" }, { "id": 7, "email_address": "d@example.com" },
            {}, null, "e@example.com", [{ "id": "f" }], { "id": long },
        ],
        "phone_numbers": { "id": "idn_1" },
        "external_accounts": null,
    });
    let batch = folded(&data);
    assert_eq!(ids(&batch, 0), ["a@example.com", "b@example.com", "c@example.com"]);
    assert_eq!((ids(&batch, 1).len(), ids(&batch, 2).len()), (0, 0));
    assert_eq!(ids(&folded(&json!({ "id": "user_1" })), 0).len(), 0);
}

#[test]
fn only_the_newest_version_has_rows() {
    let version = |message_id, updated_at: i64, ids: &[&str]| {
        let list: Vec<_> = ids.iter().map(|id| json!({ "id": id })).collect();
        let data = json!({ "id": "user_1", "updated_at": updated_at, "email_addresses": list });
        event(message_id, "user.updated", 1, &data)
    };
    let batch = fold(&[
        version("msg_2", 1_700_000_000_002, &["b"]),
        version("msg_1", 1_700_000_000_001, &["a", "b", "c"]),
    ]);
    assert_eq!(ids(&batch, 0), ["b"]);
}

#[test]
fn a_role_lists_its_permissions() {
    let data = json!({ "id": "role_1", "permissions": [
        { "id": "perm_2", "key": "org:b", "name": "B", "type": "user" }, { "key": "org:a" }, "org:c",
    ] });
    let batch = fold(&[event("msg_1", "role.created", 1, &data)]);
    let children = &row(&batch, "role", "role_1").children[0];
    let ids: Vec<_> = children.iter().map(|child| &*child.id).collect();
    assert_eq!(ids, ["org:a", "perm_2"]);
    assert_eq!(batch.tables.len(), 1, "what a role lists is no version of the permission");
}

#[test]
fn what_is_excluded_is_not_in_child_tables_either() {
    let exclude = ["user.primary_email_address".to_owned()];
    let mappings = Arc::new(Mappings::new(&["user".to_owned()], &exclude, &[]).unwrap());
    let batch = fold_to(mappings, &[event("msg_1", "user.updated", 1, &ada())]);
    assert_eq!((ids(&batch, 0).len(), ids(&batch, 1).len()), (0, 1));
}
