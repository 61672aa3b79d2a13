//! Held against Clerk's own files, where they lie beside the workspace: its description of the events, and
//! samples that it published through the years. Without them these tests check nothing and say so.

mod schema;

use std::fs;
use std::path::PathBuf;

use clerk_webhooks::{Envelope, Event, EventData, EventType, OtherReason};
use serde_json::Value;

fn clerk_file(name: &str) -> Option<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(name);
    if !path.exists() {
        eprintln!("nothing checked: {} is not there", path.display());
    }
    path.exists().then_some(path)
}

fn description() -> Option<Value> {
    let text = fs::read_to_string(clerk_file("clerk-webhook-events.openapi.yml")?).expect("a file");
    Some(serde_saphyr::from_str(&text).expect("the description is YAML"))
}

fn event(name: &str, body: &str) -> Event {
    let envelope =
        Envelope::parse(body.as_bytes()).unwrap_or_else(|error| panic!("{name}: {error}"));
    Event::from_envelope("msg_1", 1_716_883_200, &envelope)
}

/// The samples that Clerk published: all are read as their types, but for three that have no id.
#[test]
fn published_samples_are_read() {
    let Some(directory) = clerk_file("payloads") else { return };
    let mut count = 0;
    for file in fs::read_dir(directory).expect("a directory") {
        let path = file.expect("an entry").path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let event = event(&name, &fs::read_to_string(&path).expect("a file"));
        assert!(event.event_type.is_known(), "{name}");
        match event.data {
            EventData::Other { reason } => {
                assert_eq!(reason, OtherReason::NoId, "{name}");
                assert!(
                    ["user.created__145", "user.created__146", "user.created__147"]
                        .contains(&&*name),
                    "{name}"
                );
            }
            _ => assert!(event.subject.is_some(), "{name}"),
        }
        count += 1;
    }
    assert_eq!(count, 73);
}

/// The names in published samples that no field has.
const LEFT_OVER: &[&str] = &["email", "passkey_enabled", "passkey_name"];

#[test]
fn published_samples_leave_nothing_over_that_clerk_describes() {
    let Some(directory) = clerk_file("payloads") else { return };
    for file in fs::read_dir(directory).expect("a directory") {
        let path = file.expect("an entry").path();
        if path.extension().is_some_and(|extension| extension == "json") {
            let name = path.display().to_string();
            let shown =
                format!("{:?}", event(&name, &fs::read_to_string(&path).expect("a file")).data);
            for extra in shown.split("extra: {").skip(1) {
                let names = extra
                    .split('}')
                    .next()
                    .unwrap_or_default()
                    .split(", ")
                    .filter(|name| !name.is_empty());
                for left in names.map(|name| name.trim_matches('"')) {
                    assert!(LEFT_OVER.contains(&left), "{name}: {left}");
                }
            }
        }
    }
}

#[test]
fn described_types_are_known() {
    let Some(description) = description() else { return };
    let described = description["x-webhooks"].as_object().expect("the events");
    assert_eq!(described.len(), 45);
    for (name, operation) in described {
        assert!(EventType::from(name.as_str()).is_known(), "{name}");
        let body = &operation["post"]["requestBody"]["content"]["application/json"];
        let example = schema::example(&description, body).to_string();
        let event = event(name, &example);
        assert!(!matches!(event.data, EventData::Other { .. }), "{name}: {:?}", event.data);
    }
}

/// Where a sample of ours knowingly differs from the description, and why that is so.
const DIFFERENCES: &[(&str, &str)] = &[
    // `session.pending` is described, its status is not.
    ("session.pending", "/data/status"),
    // The event is not described; the status is, in payments.
    ("subscriptionItem.expired", "/data/status"),
];

/// The types that are not described, each with a described one of the same payload.
const NOT_DESCRIBED: &[(&str, &str)] = &[
    ("session.updated", "session.created"),
    ("subscriptionItem.created", "subscriptionItem.updated"),
    ("subscriptionItem.expired", "subscriptionItem.updated"),
];

#[test]
fn our_samples_fit_the_description() {
    let Some(description) = description() else { return };
    for entry in clerk_webhooks::catalog::all() {
        let name = entry.event_type.as_str();
        let schema = if name.starts_with("invitation.") {
            schema::invitation_event(&description)
        } else {
            let like =
                NOT_DESCRIBED.iter().find(|(new, _)| *new == name).map_or(name, |(_, like)| like);
            schema::event(&description, like)
        };
        let validator =
            jsonschema::draft202012::new(&schema).unwrap_or_else(|error| panic!("{name}: {error}"));
        let sample: Value = serde_json::from_str(entry.sample).expect("a sample is JSON");
        let mut known =
            DIFFERENCES.iter().filter(|(event, _)| *event == name).map(|(_, path)| *path);
        let (expected, found) = (known.next(), validator.iter_errors(&sample).collect::<Vec<_>>());
        for error in &found {
            let path = error.instance_path().to_string();
            assert_eq!(Some(path.as_str()), expected, "{name}: {error}");
        }
        assert_eq!(found.len(), usize::from(expected.is_some()), "{name}: a difference is gone");
    }
}
