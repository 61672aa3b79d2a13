//! Objects of every list, for tests: few members, but those by which lists are ordered and filtered.

use serde_json::{Value, json};

/// Every list that the API serves.
pub const LISTS: &[&str] = &[
    "users",
    "organizations",
    "organization_memberships",
    "invitations",
    "organization_invitations",
    "organization_domains",
    "organization_roles",
    "organization_permissions",
    "waitlist_entries",
    "subscription_items",
    "statements",
    "payment_attempts",
    "subscriptions",
];

const STATUSES: &[&str] = &["pending", "accepted", "revoked", "expired"];

/// An object of a list. Its id is that of the number, so that objects of one list differ.
///
/// # Panics
/// If there is no such list.
#[must_use]
pub fn sample(list: &str, number: usize, at_ms: i64) -> Value {
    let (object, prefix, members) = members(list, number);
    let mut sample = json!({
        "created_at": at_ms,
        "id": format!("{prefix}_{number:08}"),
        "object": object,
        "updated_at": at_ms,
    });
    if let (Value::Object(sample), Value::Object(members)) = (&mut sample, members) {
        sample.extend(members);
        if list == "statements" {
            let created_at = sample.remove("created_at").unwrap_or_default();
            sample.remove("updated_at");
            sample.insert("timestamp".to_owned(), created_at);
        }
    }
    sample
}

/// What `object` says, the prefix of ids, and what else an object has.
fn members(list: &str, number: usize) -> (&'static str, &'static str, Value) {
    let email = format!("person{number}@example.com");
    let status = STATUSES[number % STATUSES.len()];
    match list {
        "users" => ("user", "user", json!({"first_name": "Ada", "username": null})),
        "organizations" => {
            let slug = format!("acme-{number}");
            ("organization", "org", json!({"members_count": 1, "name": "Acme", "slug": slug}))
        }
        "organization_memberships" => {
            ("organization_membership", "orgmem", json!({"role": "org:admin"}))
        }
        "invitations" => ("invitation", "inv", json!({"email_address": email, "status": status})),
        "organization_invitations" => {
            ("organization_invitation", "orginv", json!({"email_address": email, "status": status}))
        }
        "organization_domains" => {
            ("organization_domain", "orgdmn", json!({"name": format!("{number}.example.com")}))
        }
        "organization_roles" => ("role", "role", json!({"key": format!("org:role_{number}")})),
        "organization_permissions" => {
            ("permission", "perm", json!({"key": format!("org:things:{number}")}))
        }
        "waitlist_entries" => {
            ("waitlist_entry", "waitlist", json!({"email_address": email, "status": "pending"}))
        }
        "subscription_items" => {
            let amount = number % 2 * 900;
            let plan = json!({"fee": {"amount": amount, "currency": "USD"}});
            ("commerce_subscription_item", "csubitem", json!({"plan": plan, "status": "active"}))
        }
        "statements" => ("commerce_statement", "cstmt", json!({"status": "open"})),
        "payment_attempts" => ("commerce_payment", "cpay", json!({"status": "paid"})),
        "subscriptions" => ("commerce_subscription", "csub", json!({"status": "active"})),
        _ => panic!("there is no list {list}"),
    }
}
