//! Whatever the order and the batches, the same rows win, whole: those of child tables and those
//! that other entities carry among them.

use std::collections::BTreeMap;

use deskbell_store::StoredEvent;
use deskbell_sync::Row;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::support::{event, fold, row, value};

const T: i64 = 1_700_000_000_000;

/// An item as a payload may bear it: its id, its own time, and whether it names its subscription.
type Item = (u8, Option<i64>, bool);

#[derive(Debug, Clone)]
enum What {
    Subscription(u8, Vec<Item>),
    Item(Item),
    User(u8, Option<i64>, Vec<u8>),
    UserDeleted(u8),
}

fn what() -> impl Strategy<Value = What> {
    let time = || prop::option::of(0..4_i64);
    let item = (0..3_u8, time(), any::<bool>());
    prop_oneof![
        3 => (0..2_u8, prop::collection::vec(item.clone(), 0..4)).prop_map(|(id, items)| What::Subscription(id, items)),
        3 => item.prop_map(What::Item),
        4 => (0..3_u8, time(), prop::collection::vec(0..4_u8, 0..5)).prop_map(|(id, at, list)| What::User(id, at, list)),
        1 => (0..3_u8).prop_map(What::UserDeleted),
    ]
}

/// An item's JSON. The plan's name says which element of which event it is.
fn item(message_id: &str, index: usize, (id, updated_at, named): Item) -> Value {
    json!({
        "id": format!("item_{id}"), "updated_at": updated_at.map(|at| T + at),
        "subscription_id": named.then_some("named"), "plan": { "name": format!("{message_id}/{index}") },
    })
}

fn made(message_id: &str, at: i64, what: &What) -> StoredEvent {
    let (event_type, data) = match what {
        What::Subscription(id, items) => {
            let items = items.iter().enumerate().map(|(index, it)| item(message_id, index, *it));
            let items: Vec<_> = items.collect();
            ("subscription.updated", json!({ "id": format!("sub_{id}"), "items": items }))
        }
        What::Item(it) => ("subscriptionItem.updated", item(message_id, 0, *it)),
        What::User(id, updated_at, list) => {
            let list = list.iter().enumerate().map(|(index, id)| {
                json!({ "id": format!("idn_{id}"), "email_address": format!("{message_id}/{index}") })
            });
            let list: Vec<_> = list.collect();
            let updated_at = updated_at.map(|at| T + at);
            (
                "user.updated",
                json!({ "id": format!("user_{id}"), "updated_at": updated_at, "email_addresses": list }),
            )
        }
        What::UserDeleted(id) => {
            ("user.deleted", json!({ "id": format!("user_{id}"), "deleted": true }))
        }
    };
    event(message_id, event_type, T + at, &data)
}

/// What batches come to one after another: of each entity the greatest version, unless it is gone.
fn merged<'a>(batches: impl Iterator<Item = &'a [StoredEvent]>) -> Vec<(&'static str, Row)> {
    let mut rows: BTreeMap<(&str, String), Row> = BTreeMap::new();
    let mut gone = Vec::new();
    for batch in batches.map(fold) {
        gone.extend(batch.tombstones.into_iter().map(|stone| (stone.entity, stone.id)));
        for table in batch.tables {
            for row in table.rows {
                let key = (table.entity.name, row.id.clone());
                if rows.get(&key).is_none_or(|kept| kept.version < row.version) {
                    rows.insert(key, row);
                }
            }
        }
    }
    rows.retain(|(entity, id), _| !gone.contains(&(*entity, id.clone())));
    rows.into_iter().map(|((entity, _), row)| (entity, row)).collect()
}

/// Which element of which event each item must come from, and its subscription; worked out from
/// all events at once.
fn expected_items(happenings: &[(i64, What)]) -> BTreeMap<String, (String, String)> {
    let mut newest = BTreeMap::new();
    for (number, (at, what)) in happenings.iter().enumerate() {
        let message_id = format!("msg_{number:02}");
        let (holder, items) = match what {
            What::Subscription(id, items) => (Some(format!("\"sub_{id}\"")), items.clone()),
            What::Item(it) => (None, vec![*it]),
            _ => continue,
        };
        for (index, (id, updated_at, named)) in items.into_iter().enumerate() {
            let version = (updated_at.unwrap_or(*at), *at, message_id.clone(), index);
            let holder = holder.clone().unwrap_or_else(|| "null".to_owned());
            let subscription = if named { "\"named\"".to_owned() } else { holder };
            let from = (format!("\"{message_id}/{index}\""), subscription);
            let kept =
                newest.entry(format!("item_{id}")).or_insert((version.clone(), from.clone()));
            if kept.0 < version {
                *kept = (version, from);
            }
        }
    }
    newest.into_iter().map(|(id, (_, from))| (id, from)).collect()
}

fn events_of(happenings: &[(i64, What)]) -> Vec<StoredEvent> {
    let numbered = happenings.iter().enumerate();
    numbered.map(|(number, (at, what))| made(&format!("msg_{number:02}"), *at, what)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_order_and_any_batches_come_to_the_same_rows(
        happenings in prop::collection::vec((0..3_i64, what()), 1..25),
        order in prop::collection::vec(any::<u32>(), 25),
        repeated in any::<prop::sample::Index>(),
        batch in 1..8_usize,
    ) {
        let events = events_of(&happenings);
        let mut arriving: Vec<_> = events.iter().cloned().zip(order).collect();
        arriving.sort_by_key(|(_, place)| *place);
        let mut arriving: Vec<_> = arriving.into_iter().map(|(event, _)| event).collect();
        arriving.push(events[repeated.index(events.len())].clone());
        let at_once = merged(std::iter::once(&events[..]));
        prop_assert!(merged(arriving.chunks(batch)) == at_once);
        prop_assert!(merged(std::iter::once(&arriving[..])) == at_once);
    }

    #[test]
    fn an_item_is_that_of_its_greatest_version(happenings in prop::collection::vec((0..3_i64, what()), 1..25)) {
        let batch = fold(&events_of(&happenings));
        let expected = expected_items(&happenings);
        for (id, (name, subscription)) in &expected {
            let row = row(&batch, "subscription_item", id);
            prop_assert_eq!(&value(row, "subscription_item", "plan_name"), name);
            prop_assert_eq!(&value(row, "subscription_item", "subscription_id"), subscription);
        }
        let items = batch.tables.iter().filter(|table| table.entity.name == "subscription_item");
        prop_assert_eq!(items.map(|table| table.rows.len()).sum::<usize>(), expected.len());
    }
}
