//! The events that are sent: of users that are clearly of a test, each with ids of its own.

use rand::Rng;
use rand::distr::Alphanumeric;
use serde_json::{Value, json};

use crate::diagnosis::json_text::{Escapes, Spacing, rewrite};
use crate::samples::sample;

/// How the ids of users begin.
pub const USER_PREFIX: &str = "user_deskbell_doctor_";
/// Bytes of metadata in the large event; the limit of `express.json()` and `express.raw()` is 100 KB.
const LARGE_BYTES: usize = 300 << 10;

/// Users of one run.
pub(super) struct Users {
    run: String,
    count: u32,
    now_ms: u64,
}

/// A user of this run, and the event that creates it.
pub(super) struct Created {
    pub(super) user_id: String,
    pub(super) body: String,
}

impl Users {
    pub(super) fn new(now_seconds: u64) -> Self {
        let run = rand::rng().sample_iter(Alphanumeric).take(10).map(char::from).collect();
        Self { run, count: 0, now_ms: now_seconds.saturating_mul(1_000) }
    }

    fn next_suffix(&mut self) -> String {
        self.count += 1;
        format!("{}{:02}", self.run, self.count)
    }

    /// `user.created` in the form that every JSON writer gives again: compact, sorted, ASCII.
    pub(super) fn created(&mut self, change: impl FnOnce(&mut Value)) -> Created {
        let suffix = self.next_suffix();
        let user_id = format!("{USER_PREFIX}{suffix}");
        let mut event = sample("user.created").unwrap_or_else(|_| json!({ "data": {} }));
        event["timestamp"] = json!(self.now_ms);
        let email_id = format!("idn_deskbell_doctor_{suffix}");
        let data = &mut event["data"];
        data["id"] = json!(user_id);
        data["primary_email_address_id"] = json!(email_id);
        data["created_at"] = json!(self.now_ms);
        data["updated_at"] = json!(self.now_ms);
        data["email_addresses"][0]["id"] = json!(email_id);
        data["email_addresses"][0]["email_address"] =
            json!(format!("deskbell-doctor-{}@example.com", suffix.to_ascii_lowercase()));
        change(&mut event);
        Created { user_id, body: event.to_string() }
    }

    pub(super) fn valid(&mut self) -> Created {
        self.created(|_| {})
    }

    pub(super) fn large(&mut self) -> Created {
        self.created(|event| {
            event["data"]["public_metadata"] =
                json!({ "deskbell_doctor": "x".repeat(LARGE_BYTES) });
        })
    }

    pub(super) fn without_names(&mut self) -> Created {
        self.created(|event| {
            let data = &mut event["data"];
            for name in ["first_name", "last_name", "username", "primary_email_address_id"] {
                data[name] = Value::Null;
            }
            data["email_addresses"] = json!([]);
        })
    }

    /// A type that no version of Clerk has.
    pub(super) fn of_unknown_type(&mut self) -> String {
        let created = self.created(|event| {
            event["type"] = json!("deskbellDoctor.unknown");
            event["data"]["object"] = json!("deskbell_doctor");
        });
        created.body
    }

    pub(super) fn deleted_unknown(&mut self) -> String {
        let user_id = format!("{USER_PREFIX}{}", self.next_suffix());
        self.deleted(&user_id)
    }

    pub(super) fn deleted(&self, user_id: &str) -> String {
        let mut event = sample("user.deleted").unwrap_or_else(|_| json!({ "data": {} }));
        event["timestamp"] = json!(self.now_ms);
        event["data"]["id"] = json!(user_id);
        event.to_string()
    }

    /// `&` as Go's encoder writes it.
    pub(super) fn with_escapes(&mut self) -> Created {
        let mut created = self.created(|event| event["data"]["last_name"] = json!("K&R <Co>"));
        created.body = rewritten(&created.body, Spacing::Compact, Escapes::Html);
        created
    }

    /// White space between the tokens.
    pub(super) fn with_spaces(&mut self) -> Created {
        let mut created = self.valid();
        created.body = rewritten(&created.body, Spacing::Indented(2), Escapes::Least);
        created
    }

    /// A number, an order of members and a text that `JSON.stringify` writes in another way.
    pub(super) fn with_other_forms(&mut self) -> Created {
        let mut created = self.created(|event| event["data"]["public_metadata"] = json!("HERE"));
        let metadata = r#"{"b":1.0,"10":1e2,"9":"caf\u00e9"}"#;
        created.body = created.body.replace("\"HERE\"", metadata);
        created
    }

    /// As Python's `json.dumps` writes it.
    pub(super) fn as_python(&mut self) -> Created {
        let mut created = self.valid();
        created.body = rewritten(&created.body, Spacing::Spaced, Escapes::Ascii);
        created
    }
}

/// The same event with another first name: what was signed is no longer what is sent.
pub(super) fn tampered(body: &str) -> String {
    body.replacen("\"first_name\":\"", "\"first_name\":\"Eve ", 1)
}

fn rewritten(body: &str, spacing: Spacing, escapes: Escapes) -> String {
    rewrite(body, spacing, escapes).unwrap_or_else(|| body.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_valid_event_is_what_a_json_writer_gives_again_and_the_others_are_not() {
        let mut users = Users::new(1_780_000_000);
        let again = |body: &str| serde_json::from_str::<Value>(body).unwrap().to_string();
        let valid = users.valid();
        assert_eq!(again(&valid.body), valid.body);
        assert!(valid.body.is_ascii() && valid.body.contains(&valid.user_id));
        for other in [users.with_escapes(), users.with_spaces(), users.with_other_forms()] {
            assert_ne!(again(&other.body), other.body, "{}", other.body);
        }
        assert!(users.with_escapes().body.contains(r"K\u0026R"));
        assert!(users.large().body.len() > 300 << 10);
        assert_ne!(tampered(&valid.body), valid.body);
    }

    #[test]
    fn no_two_events_share_an_id_or_an_address() {
        let mut users = Users::new(1_780_000_000);
        let (one, other) = (users.valid(), users.valid());
        assert_ne!(one.user_id, other.user_id);
        let address = |body: &str| {
            let event: Value = serde_json::from_str(body).unwrap();
            event["data"]["email_addresses"][0]["email_address"].clone()
        };
        assert_ne!(address(&one.body), address(&other.body));
    }
}
