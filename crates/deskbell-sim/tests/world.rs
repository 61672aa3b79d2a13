//! The world is reproducible and realistic, and its truth is what a replay of the payloads alone comes to.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use deskbell_sim::{
    Fate, Finding, Message, Row, SECRET_MARKERS, Scenario, Tables, Truth, World, drift, replays,
    rows_of,
};
use serde_json::{Map, Value, json};

/// `updated_at`, the envelope's time, the message id.
type Version = (i64, i64, String);

fn parsed(message: &Message) -> Value {
    serde_json::from_slice(&message.body).unwrap()
}

/// Every payload's rows by nothing but the bodies: the greatest version of each id, less what was deleted.
fn replay(messages: &[Message]) -> Tables {
    let mut newest: HashMap<(String, String), (Version, Value)> = HashMap::new();
    let mut deleted = HashSet::new();
    for message in messages {
        let body = parsed(message);
        let (entity, act) = message.event_type.split_once('.').unwrap();
        let table = match entity {
            "user" => "users",
            "organization" => "organizations",
            "organizationMembership" => "organization_memberships",
            _ => continue,
        };
        let id = body["data"]["id"].as_str().unwrap().to_owned();
        if act == "deleted" {
            deleted.insert(id);
            continue;
        }
        let number = |value: &Value| value.as_i64().unwrap();
        let version =
            (number(&body["data"]["updated_at"]), number(&body["timestamp"]), message.id.clone());
        let entry = newest
            .entry((table.to_owned(), id))
            .or_insert_with(|| (version.clone(), body["data"].clone()));
        if version > entry.0 {
            *entry = (version, body["data"].clone());
        }
    }
    let mut tables = Tables::new();
    for ((table, id), (_, data)) in newest {
        let parents = [&data["organization"]["id"], &data["public_user_data"]["user_id"]];
        let orphan = parents.iter().any(|id| id.as_str().is_some_and(|id| deleted.contains(id)));
        if !deleted.contains(&id) && !orphan {
            let row = row_of(&table, &data);
            tables.entry(table).or_default().push(row);
        }
    }
    tables
}

fn row_of(table: &str, data: &Value) -> Map<String, Value> {
    let mut row: Map<String, Value> = data.as_object().unwrap().clone();
    row.remove("private_metadata");
    row.remove("phone_numbers");
    for (column, list, field) in [
        ("primary_email_address", "email_addresses", "email_address"),
        ("primary_phone_number", "phone_numbers", "phone_number"),
        ("primary_web3_wallet", "web3_wallets", "web3_wallet"),
    ] {
        let id = &data[format!("{column}_id")];
        let entries = data[list].as_array().cloned().unwrap_or_default();
        let chosen = entries.iter().find(|entry| entry["id"] == *id && !id.is_null());
        row.insert(column.into(), chosen.map_or(Value::Null, |entry| entry[field].clone()));
    }
    if table == "organization_memberships" {
        row.insert("organization_id".into(), data["organization"]["id"].clone());
        row.insert("user_id".into(), data["public_user_data"]["user_id"].clone());
        row.remove("organization");
    }
    row.entry("locale").or_insert(Value::Null);
    for (_, value) in row.iter_mut().filter(|(column, _)| column.ends_with("_at")) {
        if let Some(ms) = value.as_i64() {
            let time = jiff::Timestamp::from_millisecond(ms).unwrap();
            *value = json!(format!("{time:.3}"));
        }
    }
    row
}

#[test]
fn the_same_scenario_makes_the_same_bytes_and_another_seed_others() {
    let make = |seed| World::new(&Scenario::new(seed, 500)).collect::<Vec<_>>();
    assert_eq!(make(7), make(7));
    assert_ne!(make(7), make(8));
    assert_eq!(make(7).len(), 500);
}

#[test]
fn the_truth_is_what_a_naive_replay_of_the_payloads_comes_to() {
    for seed in 0..8 {
        let mut world = World::new(&Scenario::new(seed, 2500));
        let messages: Vec<Message> = world.by_ref().collect();
        let truth = world.into_truth();
        let differences = drift(&truth, &replay(&messages));
        assert!(differences.is_empty(), "seed {seed}: {:#?}", &differences[..1]);
        assert!(truth.count("users") > 100, "seed {seed}: {}", truth.count("users"));
        assert!(truth.count("organizations") > 10, "seed {seed}");
        assert!(truth.count("organization_memberships") > 10, "seed {seed}");
    }
}

#[test]
fn the_truth_of_a_world_left_half_way_covers_what_was_taken() {
    for taken in [1, 17, 333, 1000] {
        let mut world = World::new(&Scenario::new(3, 5000));
        let messages: Vec<Message> = world.by_ref().take(taken).collect();
        let differences = drift(world.truth(), &replay(&messages));
        assert!(differences.is_empty(), "{taken} taken: {:#?}", &differences[..1]);
    }
}

#[test]
fn a_wrong_mirror_drifts() {
    let mut world = World::new(&Scenario::new(5, 1500));
    let messages: Vec<Message> = world.by_ref().collect();
    let truth = world.into_truth();
    let right = replay(&messages);

    let mut mirror = right.clone();
    let mut lost = mirror.get_mut("users").unwrap().remove(3);
    let differences = drift(&truth, &mirror);
    assert_eq!(differences.len(), 1);
    assert_eq!(
        (&differences[0].finding, differences[0].id.as_str()),
        (&Finding::Missing, lost["id"].as_str().unwrap())
    );

    lost.insert("id".into(), "user_resurrected".into());
    let mut mirror = right.clone();
    mirror.get_mut("users").unwrap().push(lost);
    assert_eq!(drift(&truth, &mirror)[0].finding, Finding::Extra);

    let mut mirror = right.clone();
    let row = &mut mirror.get_mut("organizations").unwrap()[0];
    row.insert("name".into(), "stale".into());
    row.remove("slug");
    let differences = drift(&truth, &mirror);
    assert_eq!(differences.len(), 1);
    let text = differences[0].to_string();
    assert!(text.contains("name: expected "), "{text}");
    assert!(text.contains("column slug is missing"), "{text}");

    let mut mirror = right.clone();
    let row = &mut mirror.get_mut("users").unwrap()[0];
    row.insert(
        "raw".into(),
        json!({"phone_numbers": [{"backup_codes": [format!("{}00", SECRET_MARKERS[1])]}]}),
    );
    assert!(drift(&truth, &mirror)[0].to_string().starts_with("users user_"));
}

#[test]
fn a_mirror_may_write_booleans_as_numbers_and_json_as_text() {
    let mut world = World::new(&Scenario::new(11, 800));
    let messages: Vec<Message> = world.by_ref().collect();
    let mut mirror = replay(&messages);
    for value in mirror.values_mut().flatten().flat_map(|row| row.values_mut()) {
        match value {
            Value::Bool(is) => *value = json!(i64::from(*is)),
            Value::Object(_) | Value::Array(_) => *value = value.to_string().into(),
            _ => {}
        }
    }
    assert_eq!(drift(&world.into_truth(), &mirror), []);
}

#[test]
fn message_ids_are_unique_and_ordered_to_the_second() {
    let messages: Vec<Message> = World::new(&Scenario::new(2, 5000)).collect();
    let ids: BTreeSet<&str> = messages.iter().map(|message| message.id.as_str()).collect();
    assert_eq!(ids.len(), messages.len());
    let seconds = |message: &Message| message.id[..9].to_owned();
    assert!(messages.windows(2).filter(|pair| seconds(&pair[0]) > seconds(&pair[1])).count() < 50);
}

#[test]
fn updated_at_never_goes_back_in_one_entity_and_ties_happen() {
    let mut newest: HashMap<String, i64> = HashMap::new();
    let mut ties = 0;
    for message in World::new(&Scenario::new(4, 4000)) {
        let body = parsed(&message);
        let Some(updated_at) = body["data"]["updated_at"].as_i64() else { continue };
        let id = body["data"]["id"].as_str().unwrap().to_owned();
        let known = newest.insert(id, updated_at);
        assert!(known.is_none_or(|known| known <= updated_at), "{body}");
        ties += usize::from(known == Some(updated_at));
    }
    assert!(ties > 20, "{ties} ties");
}

#[test]
fn what_trips_up_handlers_is_in_the_world() {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    let mut user_bytes = Vec::new();
    for message in World::new(&Scenario::new(1, 6000)) {
        let text = std::str::from_utf8(&message.body).unwrap();
        let body = parsed(&message);
        let data = &body["data"];
        let mut count = |what, holds: bool| *seen.entry(what).or_default() += usize::from(holds);
        count(message.event_type, true);
        count("go escapes", text.contains("\\u0026") || text.contains("\\u003c"));
        count("non-ASCII", !text.is_ascii());
        count("private metadata", text.contains(SECRET_MARKERS[0]));
        count("backup codes", text.contains(SECRET_MARKERS[1]));
        if message.event_type == "user.created" || message.event_type == "user.updated" {
            user_bytes.push(message.body.len());
            let emails = data["email_addresses"].as_array().unwrap();
            let primary = &data["primary_email_address_id"];
            count("no email", emails.is_empty());
            count("no name", data["first_name"].is_null() && data["last_name"].is_null());
            count("primary not first", !emails.is_empty() && emails[0]["id"] != *primary);
            count("private_metadata null", data["private_metadata"].is_null());
            count("banned", data["banned"] == true);
            count("deprovisioned", data["deprovisioned"] == true);
            assert!(emails.is_empty() || emails.iter().any(|email| email["id"] == *primary));
        }
    }
    for what in [
        "user.created",
        "user.updated",
        "user.deleted",
        "organization.created",
        "organization.updated",
        "organization.deleted",
        "organizationMembership.created",
        "organizationMembership.updated",
        "organizationMembership.deleted",
        "session.created",
        "session.ended",
        "email.created",
        "emailDelivery.bounced",
        "go escapes",
        "non-ASCII",
        "private metadata",
        "backup codes",
        "no email",
        "no name",
        "primary not first",
        "private_metadata null",
        "banned",
        "deprovisioned",
    ] {
        assert!(seen.get(what).is_some_and(|&count| count >= 5), "{what}: {seen:#?}");
    }
    user_bytes.sort_unstable();
    let median = user_bytes[user_bytes.len() / 2];
    assert!((1500..2600).contains(&median), "median user body {median}");
}

#[test]
fn users_max_bounds_the_users_alive() {
    let mut world = World::new(&Scenario { users_max: Some(10), ..Scenario::new(9, 2000) });
    while world.next().is_some() {
        assert!(world.truth().count("users") <= 10);
    }
    let rows: Vec<Row> = world
        .truth()
        .tables()
        .flat_map(|(_, rows)| rows.into_values().cloned().collect::<Vec<_>>())
        .collect();
    assert!(!rows.is_empty());
}

#[test]
fn an_entity_of_a_message_that_may_have_arrived_is_judged_either_way() {
    let scenario = Scenario::new(11, 600);
    let messages: Vec<_> = World::new(&scenario).collect();
    let (mut acked, mut arrived) = (Vec::new(), Vec::new());
    for (place, message) in messages.iter().enumerate() {
        match (place >= 500, place % 7 == 0, place % 14 == 0) {
            (true, ..) => {}
            (_, false, _) => {
                acked.push(message.id.clone());
                arrived.push(message.clone());
            }
            (_, true, true) => arrived.push(message.clone()),
            (_, true, false) => {}
        }
    }
    let fate = |id: &str| match messages.iter().position(|message| message.id == id) {
        Some(500..) | None => Fate::Unsent,
        _ if acked.iter().any(|known| known == id) => Fate::Acked,
        _ => Fate::Unknown,
    };
    let truth = Truth::of_fates(&scenario, fate);
    assert!(truth.unsettled() > 10 && truth.count("users") > 10);
    let rows = |messages: &[Message]| rows_of(&truth, replay(messages));
    assert_eq!(drift(&truth, &rows(&arrived)), []);
    let another_run: Vec<_> = World::new(&Scenario::new(12, 100)).collect();
    assert_eq!(drift(&truth, &rows(&[arrived.clone(), another_run].concat())), []);
    assert_ne!(drift(&truth, &rows(&arrived[..200])), []);
    let settled = Truth::of_fates(&scenario, |_| Fate::Acked);
    assert_eq!(settled.unsettled(), 0);
    assert_eq!(drift(&settled, &replay(&messages)), []);
}

#[test]
fn another_bound_on_users_makes_other_ids() {
    let ids = |users_max| -> HashSet<String> {
        let scenario = Scenario { users_max, ..Scenario::new(9, 500) };
        World::new(&scenario).map(|message| message.id).collect()
    };
    assert!(ids(None).is_disjoint(&ids(Some(1000))), "also where the bound is never met");
}

#[test]
fn replays_are_the_same_share_of_the_messages_every_time() {
    let scenario = Scenario::new(3, 1000);
    let all: HashSet<_> = World::new(&scenario).map(|message| message.id).collect();
    let again: Vec<_> = replays(&scenario, 0.1).map(|message| message.id).collect();
    assert!((60..140).contains(&again.len()), "{}", again.len());
    assert!(again.iter().all(|id| all.contains(id)));
    assert_eq!(again, replays(&scenario, 0.1).map(|message| message.id).collect::<Vec<_>>());
    assert_eq!((replays(&scenario, 0.0).count(), replays(&scenario, 1.0).count()), (0, 1000));
}

#[test]
fn a_world_of_all_entities_has_each_of_them_and_other_ids() {
    let scenario = Scenario { has_all_entities: true, ..Scenario::new(1, 3000) };
    let mut world = World::new(&scenario);
    let messages: Vec<Message> = world.by_ref().collect();
    let truth = world.into_truth();
    for table in [
        "users",
        "organizations",
        "organization_memberships",
        "organization_domains",
        "organization_invitations",
        "invitations",
        "sessions",
        "roles",
        "permissions",
        "waitlist_entries",
        "subscriptions",
        "subscription_items",
        "payment_attempts",
        "emails",
        "sms",
    ] {
        assert!(truth.count(table) >= 3, "{table}: {}", truth.count(table));
    }
    assert_eq!(messages, World::new(&scenario).collect::<Vec<_>>());
    let ids: HashSet<_> = messages.iter().map(|message| message.id.as_str()).collect();
    assert!(World::new(&Scenario::new(1, 500)).all(|message| !ids.contains(message.id.as_str())));
}
