//! Values that come in other forms than their columns'.

use serde_json::{Value, json};

use super::support::{event, fold, row, value};

fn column(event_type: &str, data: &Value, column: &str) -> String {
    let batch = fold(&[event("msg_1", event_type, 1, data)]);
    let (entity, _) = deskbell_sync::entity::change(event_type).unwrap();
    value(row(&batch, entity.name, data["id"].as_str().unwrap()), entity.name, column)
}

fn address(name: &str, verification: Option<&str>) -> Value {
    let mut address = json!({ "email_address": name });
    if let Some(status) = verification {
        address["verification"] = json!({ "status": status });
    }
    address
}

#[test]
fn where_no_primary_address_is_named_it_is_one_that_is_not_known_to_be_unverified() {
    let (verified, unverified) = (Some("verified"), Some("unverified"));
    for (addresses, expected) in [
        (vec![address("a", unverified), address("b", verified)], "\"b\""),
        (vec![address("a", None)], "\"a\""),
        (vec![address("a", None), address("b", None)], "null"),
        (vec![address("a", unverified)], "null"),
        (vec![json!({ "email_address": "a", "verification": null })], "null"),
    ] {
        let absent = json!({ "id": "user_1", "email_addresses": addresses });
        assert_eq!(column("user.created", &absent, "primary_email_address"), expected, "{absent}");
        let mut null = absent;
        null["primary_email_address_id"] = Value::Null;
        assert_eq!(column("user.created", &null, "primary_email_address"), "null", "{null}");
    }
    let numbers = json!([{ "phone_number": "+1", "verification": { "status": "verified" } }]);
    let user = json!({ "id": "user_1", "phone_numbers": numbers });
    assert_eq!(column("user.created", &user, "primary_phone_number"), "\"+1\"");
}

#[test]
fn whole_numbers_that_are_sent_as_texts_are_numbers() {
    let organization =
        json!({ "id": "org_1", "members_count": "123", "max_allowed_memberships": "" });
    assert_eq!(column("organization.updated", &organization, "members_count"), "123");
    assert_eq!(column("organization.updated", &organization, "max_allowed_memberships"), "null");
}

#[test]
fn an_amount_keeps_every_digit() {
    let long = "12345678901234567890123456789";
    for (amount, whole, decimal) in [
        (json!(19.99), "null", "\"19.99\""),
        (json!("19.99"), "null", "\"19.99\""),
        (json!(2000), "2000", "\"2000\""),
        (json!({ "amount": 19.5, "currency": "USD" }), "null", "\"19.5\""),
        (json!(long), "null", &*format!("\"{long}\"")),
        (json!("infinity"), "null", "null"),
        (json!(null), "null", "null"),
    ] {
        let item = json!({ "id": "item_1", "amount": amount, "plan": { "amount": amount } });
        for (name, expected) in [
            ("amount", whole),
            ("amount_decimal", decimal),
            ("plan_amount", whole),
            ("plan_amount_decimal", decimal),
        ] {
            let found = column("subscriptionItem.updated", &item, name);
            assert_eq!(found, expected, "{name} of {amount}");
        }
    }
}

#[test]
fn texts_that_a_database_would_take_for_a_moment_are_none() {
    for text in ["now", "infinity", "-infinity", "today", "epoch", "2024-02-30T00:00:00Z"] {
        let user = json!({ "id": "user_1", "created_at": text, "first_name": text });
        assert_eq!(column("user.created", &user, "created_at"), "null", "{text}");
        assert_eq!(column("user.created", &user, "first_name"), format!("{text:?}"));
    }
}

#[test]
fn a_payer_without_a_name_has_none() {
    let payer = json!({ "email": "", "first_name": "", "organization_name": "Acme" });
    for event_type in ["subscription.updated", "subscriptionItem.ended", "paymentAttempt.created"] {
        let data = json!({ "id": "x_1", "payer": payer });
        assert_eq!(column(event_type, &data, "payer_email"), "null");
        assert_eq!(column(event_type, &data, "payer_first_name"), "null");
        assert_eq!(column(event_type, &data, "payer_organization_name"), "\"Acme\"");
    }
}
