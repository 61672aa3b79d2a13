//! Whatever the body is: reading does not panic, and reads what a JSON parser would.

use clerk_webhooks::payload::User;
use clerk_webhooks::{Envelope, Event, EventData, EventType, UnixMillis, catalog};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        (1_600_000_000_000_i64..1_800_000_000_000).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[a-z_]{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Value::from),
            btree_map(name(), inner, 0..6).prop_map(|members| members.into_iter().collect()),
        ]
    })
}

/// Names that mean something to us.
const NAMES: &[&str] = &[
    "id",
    "type",
    "data",
    "timestamp",
    "instance_id",
    "event_attributes",
    "http_request",
    "object",
    "email_addresses",
    "organization",
    "public_user_data",
    "created_at",
    "payer",
    "status",
    "plan",
];

fn name() -> impl Strategy<Value = String> {
    prop_oneof![select(NAMES).prop_map(str::to_owned), any::<String>()]
}

fn any_type() -> impl Strategy<Value = String> {
    prop_oneof![select(EventType::KNOWN).prop_map(str::to_owned), any::<String>()]
}

fn text(value: &Value) -> Option<&str> {
    value.as_str().filter(|text| !text.is_empty())
}

/// Every path in a value that leads to a member of an object.
fn paths(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                let path = format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
                paths(value, &path, found);
                found.push(path);
            }
        }
        Value::Array(elements) => {
            for (index, value) in elements.iter().enumerate() {
                paths(value, &format!("{at}/{index}"), found);
            }
        }
        _ => {}
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(body in vec(any::<u8>(), 0..200)) {
        let read = Envelope::parse(&body);
        prop_assert_eq!(read.is_ok(), is_event(&body));
    }

    #[test]
    fn a_broken_sample_is_read_or_refused(
        entry in select(catalog::all()), cut in any::<prop::sample::Index>(), byte in any::<u8>(),
    ) {
        let mut body = entry.sample.trim_end().as_bytes().to_vec();
        let at = cut.index(body.len());
        prop_assert!(Envelope::parse(&body[..at]).is_err());
        body[at] = byte;
        let read = Envelope::parse(&body);
        prop_assert_eq!(read.is_ok(), is_event(&body));
        if let Ok(envelope) = read {
            let _ = format!("{:?}", Event::from_envelope("msg_1", 0, &envelope));
        }
    }

    #[test]
    fn an_envelope_is_what_a_parser_makes_of_it(event_type in any_type(), mut value in any_json()) {
        if let Value::Object(members) = &mut value {
            members.entry("type").or_insert(event_type.into());
        }
        let body = value.to_string();
        let read = Envelope::parse(body.as_bytes());
        let expected = value.as_object().and_then(|members| members.get("type")).and_then(text);
        prop_assert_eq!(read.as_ref().ok().map(|envelope| &*envelope.event_type), expected);
        if let Ok(envelope) = read {
            prop_assert_eq!(envelope.instance_id.as_deref(), text(&value["instance_id"]));
            let subject = envelope.subject();
            prop_assert_eq!(subject.as_deref(), text(&value["data"]["id"]));
            let timestamp = UnixMillis::from_json(&value["timestamp"]).filter(|at| at.as_millis() > 0);
            prop_assert_eq!(envelope.timestamp, timestamp);
            let event = Event::from_envelope("msg_1", 0, &envelope);
            prop_assert_eq!(serde_json::from_str::<Value>(event.raw.get()).ok(), Some(value["data"].clone()));
        }
    }

    #[test]
    fn data_with_an_id_is_always_typed(event_type in select(EventType::KNOWN), data in any_json()) {
        let body = json!({"type": event_type, "data": data}).to_string();
        let envelope = Envelope::parse(body.as_bytes()).expect("an event");
        let event = Event::from_envelope("msg_1", 0, &envelope);
        let typed = !matches!(event.data, EventData::Other { .. });
        prop_assert_eq!(typed, text(&data["id"]).is_some());
    }

    #[test]
    fn a_surprise_in_a_sample_leaves_it_typed(
        entry in select(catalog::all()), place in any::<prop::sample::Index>(), surprise in any_json(),
    ) {
        let mut sample: Value = serde_json::from_str(entry.sample).expect("a sample");
        let mut places = Vec::new();
        paths(&sample["data"], "/data", &mut places);
        places.retain(|place| place != "/data/id");
        let place = place.get(&places);
        *sample.pointer_mut(place).expect("a place") = surprise;
        let body = sample.to_string();
        let event = Event::from_envelope("msg_1", 0, &Envelope::parse(body.as_bytes()).expect("an event"));
        prop_assert!(!matches!(event.data, EventData::Other { .. }), "{place}: {:?}", event.data);
    }

    #[test]
    fn what_was_written_is_read_again(mut data in any_json(), name in name()) {
        if let Value::Object(members) = &mut data {
            members.insert(name, "user_1".into());
            members.insert("id".to_owned(), "user_1".into());
            let user: User = serde_json::from_value(data).expect("it has an id");
            let written = serde_json::to_string(&user).expect("it is written");
            prop_assert_eq!(serde_json::from_str::<User>(&written).expect("it is read"), user);
        }
    }

    #[test]
    fn a_moment_is_read_from_what_it_shows(
        millis in UnixMillis::MIN.as_millis()..=UnixMillis::MAX.as_millis(),
    ) {
        let moment = UnixMillis::from_millis(millis).expect("in range");
        let shown = moment.to_string();
        prop_assert_eq!(shown.len(), "2024-05-28T08:00:00.000Z".len());
        prop_assert_eq!(shown.parse(), Ok(moment));
    }

    #[test]
    fn any_text_is_a_moment_or_not(text in any::<String>(), number in any::<i64>(), float in any::<f64>()) {
        let _ = text.parse::<UnixMillis>();
        for value in [json!(text), json!(number), json!(float)] {
            let read = UnixMillis::from_json(&value);
            prop_assert_eq!(serde_json::from_value::<UnixMillis>(value).ok(), read);
        }
    }
}

/// By another parser than the envelope's own; no `f64` is asked for, since `1e999` is legal JSON.
fn is_event(body: &[u8]) -> bool {
    let members = serde_json::from_slice::<
        std::collections::BTreeMap<String, Box<serde_json::value::RawValue>>,
    >(body);
    members.is_ok_and(|members| {
        let event_type = members.get("type").map(|raw| raw.get());
        event_type.is_some_and(|raw| raw.starts_with('"') && raw.len() > 2)
            && str::from_utf8(body).is_ok()
    })
}
