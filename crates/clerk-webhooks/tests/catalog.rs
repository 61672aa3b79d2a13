//! The catalog is whole, and its samples are what their types say.

use std::collections::BTreeSet;

use clerk_webhooks::catalog::Shape;
use clerk_webhooks::payload::{
    DeletedObject, Email, Invitation, Organization, OrganizationDomain, OrganizationInvitation,
    OrganizationMembership, PaymentAttempt, Permission, Role, Session, Sms, Subscription,
    SubscriptionItem, User, WaitlistEntry,
};
use clerk_webhooks::{Envelope, Event, EventData, EventType, catalog};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

#[test]
fn every_known_type_is_in_it_once() {
    let types: Vec<_> = catalog::all().iter().map(|entry| entry.event_type.as_str()).collect();
    assert_eq!(types, EventType::KNOWN);
    assert_eq!(types.iter().collect::<BTreeSet<_>>().len(), types.len());
    for name in EventType::KNOWN {
        assert_eq!(catalog::find(name).map(|entry| entry.event_type.as_str()), Some(*name));
    }
    assert_eq!(catalog::find("User.created"), None);
}

#[test]
fn entries_say_what_they_are_about() {
    let mut descriptions = BTreeSet::new();
    for entry in catalog::all() {
        assert_eq!(entry.entity, entry.event_type.entity(), "{}", entry.event_type);
        assert!(entry.description.ends_with('.'), "{}", entry.event_type);
        assert!(descriptions.insert(entry.description), "{} repeats another", entry.event_type);
    }
}

#[test]
fn samples_read_as_their_types_with_nothing_left_over() {
    for entry in catalog::all() {
        let name = entry.event_type.as_str();
        let envelope = Envelope::parse(entry.sample.as_bytes())
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let event = Event::from_envelope("msg_1", 0, &envelope);
        assert_eq!(event.event_type, entry.event_type);
        assert!(!matches!(event.data, EventData::Other { .. }), "{name}: {:?}", event.data);
        // `Debug` of an entity shows its `extra` as the set of the names in it.
        let shown = format!("{:?}", event.data);
        let (extras, empty) =
            (shown.matches("extra: ").count(), shown.matches("extra: {}").count());
        assert!(extras > 0 && extras == empty, "{name}: {shown}");
    }
}

/// What an entity is once it was read and written.
fn rewritten<T: DeserializeOwned + Serialize>(data: Value) -> Value {
    let entity: T = serde_json::from_value(data).expect("an entity is read");
    serde_json::to_value(entity).expect("an entity is written")
}

#[test]
fn samples_survive_reading_and_writing() {
    for entry in catalog::all() {
        let name = entry.event_type.as_str();
        let mut data: Value =
            serde_json::from_str::<Value>(entry.sample).expect(name)["data"].take();
        let rewrite = match entry.entity.expect(name) {
            _ if data.get("deleted").is_some() => rewritten::<DeletedObject>,
            "user" => rewritten::<User>,
            "organization" => rewritten::<Organization>,
            "organization_domain" => rewritten::<OrganizationDomain>,
            "organization_membership" => rewritten::<OrganizationMembership>,
            "organization_invitation" => rewritten::<OrganizationInvitation>,
            "invitation" => rewritten::<Invitation>,
            "role" => rewritten::<Role>,
            "permission" => rewritten::<Permission>,
            "session" => rewritten::<Session>,
            "email" => rewritten::<Email>,
            "sms" => rewritten::<Sms>,
            "waitlist_entry" => rewritten::<WaitlistEntry>,
            "subscription" => rewritten::<Subscription>,
            "subscription_item" => rewritten::<SubscriptionItem>,
            "payment_attempt" => rewritten::<PaymentAttempt>,
            other => panic!("{name}: {other} is new"),
        };
        let written = rewrite(data.clone());
        normalize(&mut data);
        assert_eq!(written, data, "{name}");
    }
}

/// Takes out what reading takes for nothing.
fn normalize(value: &mut Value) {
    match value {
        Value::Object(members) => {
            let is_payer = members.get("object").is_some_and(|object| object == "commerce_payer");
            members.retain(|_, value| !(value.is_null() || is_payer && value == ""));
            if let Some(at) = members.remove("created_at_ms") {
                members.insert("created_at".to_owned(), at);
            }
            // Metadata and template data keep their nulls.
            let entities = members
                .iter_mut()
                .filter(|(name, _)| *name != "app" && !name.ends_with("_metadata"));
            entities.for_each(|(_, value)| normalize(value));
        }
        Value::Array(elements) => elements.iter_mut().for_each(normalize),
        _ => {}
    }
}

#[test]
fn samples_look_like_deliveries() {
    for entry in catalog::all() {
        let name = entry.event_type.as_str();
        let sample: Value = serde_json::from_str(entry.sample).expect(name);
        assert_eq!(sample["type"], name);
        assert_eq!(sample["object"], "event", "{name}");
        assert!(sample["timestamp"].as_i64() > Some(1_700_000_000_000), "{name}: not milliseconds");
        assert!(sample["instance_id"].as_str().is_some_and(|id| id.starts_with("ins_")), "{name}");
        assert!(sample["event_attributes"]["http_request"]["client_ip"].is_string(), "{name}");
        let updated_at = sample["data"]["updated_at"].as_i64();
        assert!(updated_at <= sample["timestamp"].as_i64(), "{name}: changed after it was told");
        assert!(entry.sample.ends_with("}\n"), "{name}");
    }
}

fn names_of(shape: &Shape) -> Vec<&'static str> {
    match shape {
        Shape::Object(members) => members().into_iter().map(|(name, _)| name).collect(),
        other => panic!("an entity is an object, and this is {other:?}"),
    }
}

#[test]
fn shapes_have_the_members_of_samples() {
    for entry in catalog::all() {
        let name = entry.event_type.as_str();
        let sample: Value = serde_json::from_str(entry.sample).expect(name);
        let shape = catalog::shape(entry.entity.expect(name)).expect(name);
        let known = names_of(&shape);
        for member in sample["data"].as_object().expect(name).keys() {
            assert!(known.contains(&member.as_str()) || member == "deleted", "{name}: {member}");
        }
        assert_eq!(known.first(), Some(&"id"), "{name}");
    }
    assert!(catalog::shape("membership").is_none());
    assert_eq!(names_of(&catalog::attributes_shape()), ["http_request"]);
}
