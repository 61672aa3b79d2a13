//! Emails and text messages: metadata, and never what they say.

use clerk_webhooks::catalog;
use serde_json::{Value, json};

use super::support::{all_texts, event, fold, mappings, row, stored, value};

/// The members that hold what a message says.
const CONTENT: [&str; 5] = ["body", "body_plain", "subject", "message", "data"];

/// Every text in this JSON.
fn texts<'a>(json: &'a Value, found: &mut Vec<&'a str>) {
    match json {
        Value::String(text) => found.push(text),
        Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        Value::Object(members) => members.values().for_each(|member| texts(member, found)),
        _ => {}
    }
}

#[test]
fn nothing_of_what_the_samples_say_is_kept() {
    for event_type in ["email.created", "sms.created"] {
        let sample = catalog::find(event_type).unwrap().sample;
        let body: Value = serde_json::from_str(sample).unwrap();
        let kept = all_texts(&fold(&[stored("msg_1", event_type, 1, sample.to_owned())]));
        let mut said = Vec::new();
        CONTENT.iter().for_each(|name| texts(&body["data"][*name], &mut said));
        assert!(said.len() > 4, "{said:?}");
        for text in said {
            assert!(!kept.contains(text), "{event_type}: {text}");
        }
    }
}

#[test]
fn members_that_are_not_known_are_not_kept() {
    let data = json!({
        "id": "ema_1", "to_email_address": "ada@example.com", "user_id": "user_1", "slug": "invitation",
        "body_html": "123456", "links": ["123456"], "magic_link": { "url": "123456" },
        "status": { "detail": "123456" }, "from_email_name": ["123456"],
    });
    for (event_type, entity) in [("email.created", "email"), ("sms.created", "sms")] {
        let batch = fold(&[event("msg_1", event_type, 1, &data)]);
        assert!(!all_texts(&batch).contains("123456"), "{event_type}");
        assert_eq!(value(row(&batch, entity, "ema_1"), entity, "user_id"), "\"user_1\"");
    }
}

#[test]
fn a_text_messages_time_has_two_names() {
    for name in ["created_at", "created_at_ms"] {
        let data = json!({ "id": "sms_1", name: 1_700_000_000_000_i64 });
        let batch = fold(&[event("msg_1", "sms.created", 1, &data)]);
        let created_at = value(row(&batch, "sms", "sms_1"), "sms", "created_at");
        assert_eq!(created_at, "2023-11-14T22:13:20.000Z", "{name}");
    }
}

#[test]
fn messages_and_sessions_must_be_asked_for() {
    let default = deskbell_sync::DatabaseConfig::default().mirrored();
    for name in ["email", "sms", "session"] {
        assert!(!default.iter().any(|entity| entity == name), "{name}");
    }
    assert_eq!(default.len(), deskbell_sync::entity::ALL.len() - 3);
    let default: Vec<_> = default.iter().map(String::as_str).collect();
    let sample = catalog::find("sms.created").unwrap().sample.to_owned();
    let batch =
        super::support::fold_to(mappings(&default), &[stored("m", "sms.created", 1, sample)]);
    assert_eq!((batch.tables.len(), batch.counts.not_mirrored), (0, 1));
}
