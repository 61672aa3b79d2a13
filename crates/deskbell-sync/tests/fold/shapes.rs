//! Payloads of several generations, in the same columns.

use serde_json::{Value, json};

use super::support::{event, fold, row, value};

/// The columns of the entity that an event of this type with this data makes a row of.
fn assert_columns(event_type: &str, data: &Value, expected: &[(&str, &str)]) {
    let batch = fold(&[event("msg_1", event_type, 1, data)]);
    let (entity, _) = deskbell_sync::entity::change(event_type).unwrap();
    let id = data["id"].as_str().unwrap();
    for (column, expected) in expected {
        let found = value(row(&batch, entity.name, id), entity.name, column);
        assert_eq!(found, *expected, "{event_type} {column} of {data}");
    }
}

#[test]
fn both_shapes_of_a_subscription_item_fill_the_same_columns() {
    let money = |amount: i64| json!({ "amount": amount, "amount_formatted": "", "currency": "EUR", "currency_symbol": "€" });
    let older = json!({
        "id": "csub_item_1", "status": "active", "plan_period": "month", "amount": money(2000),
        "credit": { "amount": money(500), "cycle_days_remaining": 15 }, "proration_date": "2024-05-01",
        "lifetime_paid": 10_000, "next_payment_amount": 2000, "next_payment_date": 1_719_561_600_000_i64,
        "period_start": 1_716_883_200_000_i64, "period_end": null, "past_due_at": null,
        "plan": { "id": "cplan_1", "name": "Pro Plan", "slug": "pro", "amount": 2000, "currency": "USD", "interval": 1, "period": "month" },
    });
    let newer = json!({
        "id": "csub_item_1", "object": "commerce_subscription_item", "status": "active", "interval": "month",
        "is_free_trial": true, "plan_id": "cplan_1", "subscription_id": "csub_1", "seats": { "quantity": 3 },
        "credits": { "total": money(480), "proration": null }, "period_start": 1_716_883_200_000_i64,
        "plan": { "id": "cplan_1", "name": "Pro Plan", "slug": "pro", "amount": 2000, "currency": "USD", "is_recurring": true },
        "payer": { "id": "cpayer_1", "user_id": "user_1", "organization_id": "" },
    });
    let same = [
        ("status", "\"active\""),
        ("interval", "\"month\""),
        ("plan_id", "\"cplan_1\""),
        ("plan_slug", "\"pro\""),
        ("plan_name", "\"Pro Plan\""),
        ("plan_amount", "2000"),
        ("plan_currency", "\"USD\""),
        ("period_start", "2024-05-28T08:00:00.000Z"),
        ("period_end", "null"),
        ("payer_organization_id", "null"),
    ];
    for data in [&older, &newer] {
        assert_columns("subscriptionItem.updated", data, &same);
    }
    let only_older = [
        ("amount", "2000"),
        ("currency", "\"EUR\""),
        ("credit_amount", "500"),
        ("proration_date", "\"2024-05-01\""),
        ("lifetime_paid", "10000"),
        ("next_payment_amount", "2000"),
        ("next_payment_date", "2024-06-28T08:00:00.000Z"),
        ("subscription_id", "null"),
        ("payer_user_id", "null"),
    ];
    assert_columns("subscriptionItem.updated", &older, &only_older);
    let only_newer = [
        ("amount", "null"),
        ("currency", "\"USD\""),
        ("credit_amount", "480"),
        ("is_free_trial", "true"),
        ("seats_quantity", "3"),
        ("subscription_id", "\"csub_1\""),
        ("payer_user_id", "\"user_1\""),
    ];
    assert_columns("subscriptionItem.updated", &newer, &only_newer);
}

#[test]
fn an_empty_id_is_none() {
    let data = |user: &str, organization: &str| json!({ "id": "x_1", "payer": { "id": "", "user_id": user, "organization_id": organization } });
    for event_type in ["subscription.updated", "subscriptionItem.ended", "paymentAttempt.created"] {
        let expected = [
            ("payer_user_id", "\"user_1\""),
            ("payer_organization_id", "null"),
            ("payer_id", "null"),
        ];
        assert_columns(event_type, &data("user_1", ""), &expected);
        let expected = [("payer_user_id", "null"), ("payer_organization_id", "\"org_1\"")];
        assert_columns(event_type, &data("", "org_1"), &expected);
    }
    let data = json!({ "id": "x_1", "payer_id": "", "payer": { "id": "cpayer_1" } });
    assert_columns("subscription.updated", &data, &[("payer_id", "\"cpayer_1\"")]);
    let data = json!({ "id": "user_1", "username": "", "primary_email_address_id": "" });
    let expected = [("username", "\"\""), ("primary_email_address_id", "null")];
    assert_columns("user.updated", &data, &expected);
}

#[test]
fn a_verifications_end_and_an_invitations_have_two_names_each() {
    for (name, other) in [("expire_at", "expires_at"), ("expires_at", "expire_at")] {
        let end = "2023-11-14T22:13:20.000Z";
        let data = json!({ "id": "orgdmn_1", "verification": { name: 1_700_000_000_000_i64, other: null } });
        assert_columns("organizationDomain.updated", &data, &[("verification_expire_at", end)]);
        let data = json!({ "id": "x_1", name: 1_700_000_000_000_i64, other: null });
        assert_columns("organizationInvitation.created", &data, &[("expires_at", end)]);
        assert_columns("invitation.created", &data, &[("expires_at", end)]);
        assert_columns("session.updated", &data, &[("expire_at", end)]);
    }
}

#[test]
fn an_invitations_organization_stands_in_one_of_three_places() {
    for data in [
        json!({ "id": "orginv_1", "organization_id": "org_1" }),
        json!({ "id": "orginv_1", "public_organization_data": { "id": "org_1" } }),
        json!({ "id": "orginv_1", "organization_id": "", "data": { "public_organization_data": { "id": "org_1" } } }),
    ] {
        assert_columns(
            "organizationInvitation.created",
            &data,
            &[("organization_id", "\"org_1\"")],
        );
    }
}

#[test]
fn a_session_without_activity_and_user_is_a_session() {
    for activity in [json!(null), json!({}), json!("none")] {
        let data = json!({
            "id": "sess_1", "status": "pending", "user_id": "user_1", "user": null, "latest_activity": activity,
            "actor": { "sub": "user_2" },
        });
        let expected = [
            ("status", "\"pending\""),
            ("user_id", "\"user_1\""),
            ("ip_address", "null"),
            ("actor_sub", "\"user_2\""),
        ];
        assert_columns("session.pending", &data, &expected);
    }
}
