//! Payloads as they really are: the catalog's samples, Clerk's own through the years, and a
//! simulated Clerk's.

use std::path::Path;

use deskbell_sim::{Scenario, Tables, World, drift};
use deskbell_store::StoredEvent;
use deskbell_sync::entity::{self, Change};
use serde_json::Value;

use crate::support::{Mirror, stored};

#[tokio::test]
async fn every_sample_of_the_catalog_applies() {
    let mut mirror = Mirror::new().await;
    for entry in clerk_webhooks::catalog::all() {
        let event_type = entry.event_type.as_str();
        let expected = entity::change(event_type).is_some();
        let event = stored(&format!("msg_{event_type}"), event_type, 1, entry.sample);
        let counts = mirror.apply_counted(&[event]).await;
        assert_eq!(counts.applied, u64::from(expected), "{event_type}");
        assert_eq!(counts.dead_lettered, 0, "{event_type}");
    }
}

/// Samples that Clerk published and that bear no `id`; they cannot be mirrored.
const WITHOUT_ID: [&str; 2] = ["user.created__145.json", "user.created__146.json"];

#[tokio::test]
async fn clerks_samples_through_the_years_apply() {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/payloads");
    let Ok(files) = std::fs::read_dir(&samples) else {
        eprintln!("skipped: {} is not there", samples.display());
        return;
    };
    let mut upserts = 0;
    for file in files.map(|file| file.unwrap()) {
        let name = file.file_name().into_string().unwrap();
        let Some((event_type, _)) = name.split_once("__") else { continue };
        let body = std::fs::read_to_string(file.path()).unwrap();
        let mut mirror = Mirror::new().await;
        let counts = mirror.apply_counted(&[stored("msg_1", event_type, 1, &body)]).await;
        let change = entity::change(event_type).map(|(_, change)| change);
        assert_eq!(counts.not_mirrored, u64::from(change.is_none()), "{name}");
        assert_eq!(counts.dead_lettered, u64::from(WITHOUT_ID.contains(&&*name)), "{name}");
        if change == Some(Change::Upsert) && counts.applied == 1 {
            upserts += 1;
            assert_raw_is_whole(&mirror, &body, &name).await;
        }
    }
    assert!(upserts > 15, "{upserts}");
}

/// Everything but `private_metadata`, which none of these samples nests, is there.
async fn assert_raw_is_whole(mirror: &Mirror, body: &str, name: &str) {
    let mut data = serde_json::from_str::<Value>(body).unwrap()["data"].take();
    data.as_object_mut().unwrap().remove("private_metadata");
    let tables = mirror.everything().await;
    let rows: Vec<_> = tables.values().flatten().collect();
    assert_eq!(rows.len(), 1, "{name}");
    assert_eq!(rows[0]["raw"], data, "{name}");
}

#[tokio::test]
async fn a_simulated_clerk_leaves_no_drift_in_whatever_order() {
    let mut world = World::new(&Scenario::new(7, 3_000));
    let mut events: Vec<StoredEvent> = Vec::new();
    for message in world.by_ref() {
        let body: Value = serde_json::from_slice(&message.body).unwrap();
        let at = body["timestamp"].as_i64().unwrap();
        events.push(StoredEvent {
            payload: message.body,
            ..stored(&message.id, message.event_type, at, "")
        });
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
