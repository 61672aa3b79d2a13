//! Subscriptions carry their items, and each is a version of the item.

use deskbell_store::StoredEvent;
use deskbell_sync::Batch;
use serde_json::{Value, json};

use super::support::{event, fold, fold_to, mappings, row, value};

const T: i64 = 1_700_000_000_000;

fn subscription(message_id: &str, at: i64, items: &Value) -> StoredEvent {
    let data = json!({
        "id": "csub_1", "updated_at": T + 500,
        "payer": { "id": "cpayer_1", "user_id": "user_1", "organization_id": "" },
        "items": items,
    });
    event(message_id, "subscription.updated", at, &data)
}

fn of_item(batch: &Batch, column: &str) -> String {
    value(row(batch, "subscription_item", "csub_item_1"), "subscription_item", column)
}

#[test]
fn an_item_takes_what_it_lacks_from_its_subscription() {
    for (own, subscription_id) in [
        (json!({}), "\"csub_1\""),
        (json!({ "subscription_id": null, "payer": null }), "\"csub_1\""),
        (json!({ "subscription_id": "", "payer": "" }), "\"csub_1\""),
        (json!({ "subscription_id": "csub_2" }), "\"csub_2\""),
    ] {
        let mut item = own.clone();
        item["id"] = json!("csub_item_1");
        let batch = fold(&[subscription("msg_1", T, &json!([item]))]);
        assert_eq!(of_item(&batch, "subscription_id"), subscription_id, "{own}");
        assert_eq!(of_item(&batch, "payer_user_id"), "\"user_1\"", "{own}");
        assert_eq!(of_item(&batch, "payer_organization_id"), "null", "{own}");
        let raw: Value =
            serde_json::from_str(&row(&batch, "subscription_item", "csub_item_1").raw).unwrap();
        assert_eq!(raw, item, "raw is the element as it is");
    }
    let own = json!([{ "id": "csub_item_1", "payer": { "user_id": "user_2" } }]);
    assert_eq!(of_item(&fold(&[subscription("msg_1", T, &own)]), "payer_user_id"), "\"user_2\"");
}

#[test]
fn an_items_version_is_its_own_time_else_the_events() {
    let items = json!([{ "id": "csub_item_1", "updated_at": T + 7 }, { "id": "csub_item_2" }]);
    let batch = fold(&[subscription("msg_1", T + 100, &items)]);
    for (id, updated_at_ms) in [("csub_item_1", T + 7), ("csub_item_2", T + 100)] {
        let row = row(&batch, "subscription_item", id);
        assert_eq!(row.version.updated_at_ms, updated_at_ms, "{id}");
        assert_eq!((row.version.occurred_at_ms, &*row.version.message_id), (T + 100, "msg_1"));
        assert_eq!(&*row.event.event_type, "subscription.updated");
    }
    assert_eq!((batch.counts.applied, batch.dead_letters.len()), (1, 0));
}

#[test]
fn the_newer_of_an_items_own_event_and_its_subscriptions_wins() {
    let own = |updated_at: i64| {
        let data = json!({ "id": "csub_item_1", "status": "ended", "updated_at": updated_at, "subscription_id": "csub_9" });
        event("msg_2", "subscriptionItem.ended", T, &data)
    };
    let within = json!([{ "id": "csub_item_1", "status": "active", "updated_at": T + 5 }]);
    for (updated_at, status, subscription_id) in
        [(T + 4, "\"active\"", "\"csub_1\""), (T + 6, "\"ended\"", "\"csub_9\"")]
    {
        let mut events = [subscription("msg_1", T, &within), own(updated_at)];
        for _ in 0..2 {
            let batch = fold(&events);
            assert_eq!(of_item(&batch, "status"), status);
            assert_eq!(of_item(&batch, "subscription_id"), subscription_id);
            events.reverse();
        }
    }
}

#[test]
fn elements_without_a_usable_id_are_passed_over() {
    let items = json!([{}, null, "csub_item_2", { "id": 5 }, { "id": "" }, { "id": "x".repeat(256) }, { "id": "csub_item_1" }]);
    let batch = fold(&[subscription("msg_1", T, &items)]);
    assert_eq!(batch.tables.iter().map(|table| table.rows.len()).sum::<usize>(), 2);
    assert_eq!(batch.dead_letters, []);
    for items in [json!(null), json!({ "id": "csub_item_1" }), json!("csub_item_1")] {
        assert_eq!(fold(&[subscription("msg_1", T, &items)]).tables.len(), 1, "{items}");
    }
}

#[test]
fn of_an_item_that_stands_twice_in_one_event_the_newer_and_then_the_later_counts() {
    for (first, second, slug) in [(5, 5, "\"second\""), (5, 6, "\"second\""), (6, 5, "\"first\"")] {
        let item = |slug: &str, at: i64| json!({ "id": "csub_item_1", "plan": { "slug": slug }, "updated_at": T + at });
        let event =
            subscription("msg_1", T, &json!([item("first", first), item("second", second)]));
        let batch = fold(&[event.clone(), event]);
        assert_eq!(of_item(&batch, "plan_slug"), slug, "{first} {second}");
    }
}

#[test]
fn items_count_whether_or_not_subscriptions_are_mirrored() {
    let events = [subscription("msg_1", T, &json!([{ "id": "csub_item_1" }]))];
    for (mirrored, tables, applied) in [
        (&["subscription_item"][..], &["subscription_items"][..], 1),
        (&["subscription"], &["subscriptions"], 1),
        (&["subscription", "subscription_item"], &["subscriptions", "subscription_items"], 1),
        (&["user"], &[], 0),
    ] {
        let batch = fold_to(mappings(mirrored), &events);
        let found: Vec<_> = batch.tables.iter().map(|table| table.entity.table).collect();
        assert_eq!(found, tables, "{mirrored:?}");
        assert_eq!((batch.counts.applied, batch.counts.not_mirrored), (applied, 1 - applied));
    }
}

#[test]
fn the_items_of_a_payment_are_no_versions() {
    let data = json!({ "id": "cpayatt_1", "subscription_items": [{ "id": "csub_item_1" }] });
    assert_eq!(fold(&[event("msg_1", "paymentAttempt.created", T, &data)]).tables.len(), 1);
}
