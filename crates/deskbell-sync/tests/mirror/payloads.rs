//! Payloads as they really are: the catalog's samples, Clerk's own through the years, and a
//! simulated Clerk's.

use std::path::{Path, PathBuf};

use deskbell_sim::{Scenario, Tables, World, drift};
use deskbell_store::StoredEvent;
use deskbell_sync::entity::{self, Change, Entity, Raw};
use deskbell_sync::inspect::MirrorReader;
use serde_json::Value;

use super::support::{Mirror, stored};

#[tokio::test]
async fn every_sample_of_the_catalog_applies() {
    let mut mirror = Mirror::of_everything().await;
    for entry in clerk_webhooks::catalog::all() {
        let event_type = entry.event_type.as_str();
        let event = stored(&format!("msg_{event_type}"), event_type, 1, entry.sample);
        let counts = mirror.apply_counted(&[event]).await;
        assert_eq!(counts.applied, 1, "{event_type}");
        assert_eq!(counts.dead_lettered, 0, "{event_type}");
    }
    assert!(mirror.rows("_dead_letters").await.is_empty());
}

/// Samples that Clerk published and that bear no `id`; they cannot be mirrored.
const WITHOUT_ID: [&str; 2] = ["user.created__145.json", "user.created__146.json"];

fn clerk_file(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(name);
    if !path.exists() {
        eprintln!("nothing checked: {} is not there", path.display());
    }
    path.exists().then_some(path)
}

#[tokio::test]
async fn clerks_samples_through_the_years_apply() {
    let Some(samples) = clerk_file("payloads") else { return };
    let mut mirror = Mirror::of_everything().await;
    let reader = mirror.reader().await;
    let mut upserts = 0;
    for file in std::fs::read_dir(samples).unwrap().map(|file| file.unwrap()) {
        let name = file.file_name().into_string().unwrap();
        let Some((event_type, _)) = name.split_once("__") else { continue };
        let body = std::fs::read_to_string(file.path()).unwrap();
        upserts += u32::from(applies(&mut mirror, &reader, event_type, &body, &name).await);
    }
    assert!(upserts > 45, "{upserts}");
}

/// Clerk's own description has an example of each of its 45 event types.
#[tokio::test]
async fn clerks_own_examples_apply() {
    let Some(description) = clerk_file("clerk-webhook-events.openapi.yml") else { return };
    let text = std::fs::read_to_string(description).unwrap();
    let description: Value = serde_saphyr::from_str(&text).unwrap();
    let examples: Vec<_> = description["x-webhooks"].as_object().unwrap().iter().collect();
    assert_eq!(examples.len(), 45);
    let mut mirror = Mirror::of_everything().await;
    let reader = mirror.reader().await;
    for (event_type, described) in examples {
        let body = example(&description, described).to_string();
        applies(&mut mirror, &reader, event_type, &body, event_type).await;
    }
}

/// The example stands there, or in another place that is named there.
fn example<'a>(description: &'a Value, described: &'a Value) -> &'a Value {
    let content = &described["post"]["requestBody"]["content"]["application/json"];
    let named = &content["examples"]["default"];
    let elsewhere = named["$ref"].as_str().map(|place| {
        let place = description.pointer(place.strip_prefix('#').unwrap()).unwrap();
        &place["value"]
    });
    let own = content.get("example").or(named.get("value"));
    elsewhere.or(own).filter(|example| example.is_object()).expect("an example")
}

/// Applies one sample to the mirror, which is empty again then; whether that made a row.
async fn applies(
    mirror: &mut Mirror,
    reader: &MirrorReader,
    event_type: &str,
    body: &str,
    name: &str,
) -> bool {
    let counts = mirror.apply_counted(&[stored("msg_1", event_type, 1, body)]).await;
    let (entity, change) = entity::change(event_type).expect(event_type);
    let given_up = counts.dead_lettered;
    assert_eq!(given_up, u64::from(WITHOUT_ID.contains(&name)), "{name}");
    assert_eq!(counts.applied + given_up, 1, "{name}");
    let makes_a_row = change == Change::Upsert && given_up == 0;
    if makes_a_row {
        assert_raw_is_whole(reader, entity, body, name).await;
    }
    mirror.empty().await;
    makes_a_row
}

/// Takes `private_metadata` out, wherever it stands.
fn without_private_metadata(json: &mut Value) {
    match json {
        Value::Object(members) => {
            members.remove("private_metadata");
            members.values_mut().for_each(without_private_metadata);
        }
        Value::Array(elements) => elements.iter_mut().for_each(without_private_metadata),
        _ => {}
    }
}

/// Everything but `private_metadata` is there; of messages the columns alone.
async fn assert_raw_is_whole(reader: &MirrorReader, entity: &Entity, body: &str, name: &str) {
    let mut data = serde_json::from_str::<Value>(body).unwrap()["data"].take();
    without_private_metadata(&mut data);
    let rows = reader.whole_rows(entity.table).await.unwrap();
    assert_eq!(rows.len(), 1, "{name}");
    if entity.raw == Raw::Columns {
        let kept = rows[0]["raw"].as_object().unwrap();
        assert!(kept.iter().all(|(member, value)| data[member] == *value), "{name}");
    } else {
        assert_eq!(rows[0]["raw"], data, "{name}");
    }
}

#[tokio::test]
async fn a_simulated_clerk_leaves_no_drift_in_whatever_order() {
    let mut world = World::new(&Scenario::new(7, 3_000));
    let mut events: Vec<StoredEvent> = Vec::new();
    for message in world.by_ref() {
        let body: Value = serde_json::from_slice(&message.body).unwrap();
        let at = body["timestamp"].as_i64().unwrap();
        let mut event = stored(&message.id, message.event_type, at, "");
        event.payload = message.body.into();
        events.push(event);
    }
    // Every third one late, every fifth one twice.
    let late: Vec<_> = events.iter().step_by(3).cloned().collect();
    let mut arriving: Vec<_> =
        events.iter().enumerate().filter(|(n, _)| n % 3 != 0).map(|(_, e)| e.clone()).collect();
    arriving.reverse();
    arriving.extend(late);
    arriving.extend(events.iter().step_by(5).cloned());
    let mut mirror = Mirror::new().await;
    for batch in arriving.chunks(700) {
        mirror.apply(batch).await;
    }
    let mut tables = Tables::new();
    for name in ["users", "organizations", "organization_memberships"] {
        tables.insert(name.to_owned(), mirror.reader().await.whole_rows(name).await.unwrap());
    }
    assert_eq!(drift(world.truth(), &tables), []);
    assert!(tables["organization_memberships"].len() > 10);
}
