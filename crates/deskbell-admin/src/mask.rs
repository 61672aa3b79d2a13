//! Masking personal data: what is not known to be harmless is replaced.

use serde_json::{Map, Value};

use crate::Caller;

/// The placeholder for a masked value.
const MASK: &str = "•••";

/// What stands for an error, which may quote a row's values or a receiver's reply.
pub(crate) const MASKED_ERROR: &str = "shown from the role reader on";

/// Keys whose values say nothing about a person, beside those that [`is_harmless`] knows by their form.
const HARMLESS: &[&str] = &[
    "type",
    "object",
    "status",
    "role",
    "role_key",
    "action",
    "event",
    "strategy",
    "provider",
    "deleted",
    "currency",
    "interval",
    "plan_period",
    "payer_type",
    "slug",
];

/// Outcomes whose reason is never a database's or a receiver's.
const OWN_REASONS: &[&str] =
    &["applied", "superseded", "tombstoned", "filtered", "other_instance", "not_mirrored"];

/// Ids that somebody else than Clerk chose: an email address, for example.
const FOREIGN_IDS: &[&str] = &["external_id", "provider_user_id"];

/// This JSON with every text and number masked, but for ids, times, states and the like. In the
/// application's own metadata nothing is known to be harmless.
#[must_use]
pub fn masked(json: &Value) -> Value {
    masked_member("", json)
}

/// The value of this key, masked unless the key says that it is harmless.
#[must_use]
pub(crate) fn masked_member(key: &str, value: &Value) -> Value {
    match value {
        _ if is_metadata(key) => masked_whole(value),
        Value::Object(members) => members
            .iter()
            .map(|(key, value)| (key.clone(), masked_member(key, value)))
            .collect::<Map<_, _>>()
            .into(),
        Value::Array(elements) => {
            elements.iter().map(|element| masked_member(key, element)).collect()
        }
        Value::Null | Value::Bool(_) => value.clone(),
        Value::Number(_) | Value::String(_) if is_harmless(key) => value.clone(),
        Value::Number(_) | Value::String(_) => MASK.into(),
    }
}

/// The value with everything masked, whatever its keys are.
fn masked_whole(value: &Value) -> Value {
    match value {
        Value::Object(members) => members
            .iter()
            .map(|(key, value)| (key.clone(), masked_whole(value)))
            .collect::<Map<_, _>>()
            .into(),
        Value::Array(elements) => elements.iter().map(masked_whole).collect(),
        Value::Null => Value::Null,
        Value::Bool(_) | Value::Number(_) | Value::String(_) => MASK.into(),
    }
}

/// Masks what a database or a receiver said, where this caller must not see it.
pub(crate) fn mask_error(caller: &Caller, error: &mut Option<String>) {
    if !caller.sees_payloads()
        && let Some(error) = error
    {
        MASKED_ERROR.clone_into(error);
    }
}

/// Masks why an event has this outcome, unless that comes from the config or from Deskbell itself.
pub(crate) fn mask_reason(caller: &Caller, outcome: &str, reason: &mut Option<String>) {
    if !OWN_REASONS.contains(&outcome) {
        mask_error(caller, reason);
    }
}

fn is_metadata(key: &str) -> bool {
    key == "metadata" || key.ends_with("_metadata")
}

fn is_harmless(key: &str) -> bool {
    HARMLESS.contains(&key)
        || key == "id"
        || key == "timestamp"
        || (key.ends_with("_id") && !FOREIGN_IDS.contains(&key))
        || key.ends_with("_at")
        || key.ends_with("_count")
}

#[cfg(test)]
mod tests {
    use deskbell_store::TokenRole;
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_not_known_to_be_harmless_is_masked() {
        let payload = json!({
            "type": "user.created", "timestamp": 1_716_883_200_000_i64,
            "data": {
                "id": "user_1", "first_name": "Ada", "external_id": "ada@example.com",
                "email_addresses": [{"id": "idn_1", "email_address": "ada@example.com"}],
                "public_metadata": {"salary": 7, "tags": ["a"]},
                "banned": false, "username": null, "created_at": 1,
            },
        });
        let expected = json!({
            "type": "user.created", "timestamp": 1_716_883_200_000_i64,
            "data": {
                "id": "user_1", "first_name": MASK, "external_id": MASK,
                "email_addresses": [{"id": "idn_1", "email_address": MASK}],
                "public_metadata": {"salary": MASK, "tags": [MASK]},
                "banned": false, "username": null, "created_at": 1,
            },
        });
        assert_eq!(masked(&payload), expected);
    }

    #[test]
    fn no_key_of_metadata_is_known_to_be_harmless() {
        let user = json!({
            "public_metadata": {
                "id": "ada@example.com", "birth_at": 1, "is_ill": true, "none": null,
                "role": [{"slug": "ada"}],
            },
            "unsafe_metadata": "ada",
        });
        let expected = json!({
            "public_metadata": {
                "id": MASK, "birth_at": MASK, "is_ill": MASK, "none": null,
                "role": [{"slug": MASK}],
            },
            "unsafe_metadata": MASK,
        });
        assert_eq!(masked(&user), expected);
        assert_eq!(masked_member("private_metadata", &json!({"id": 1})), json!({"id": MASK}));
    }

    #[test]
    fn an_id_that_somebody_else_chose_is_masked() {
        let account = json!({"provider_user_id": "ada@example.com", "identification_id": "idn_1"});
        let expected = json!({"provider_user_id": MASK, "identification_id": "idn_1"});
        assert_eq!(masked(&account), expected);
    }

    #[test]
    fn what_a_database_or_a_receiver_said_is_masked_for_viewers() {
        let said = Some("Key (email)=(ada@example.com) already exists.".to_owned());
        let caller = |role| Caller { name: "a".to_owned(), role };
        let shown = |role, outcome| {
            let mut reason = said.clone();
            mask_reason(&caller(role), outcome, &mut reason);
            reason
        };
        let masked = Some(MASKED_ERROR.to_owned());
        assert_eq!(shown(TokenRole::Viewer, "dead_lettered"), masked);
        assert_eq!(shown(TokenRole::Viewer, "pending"), masked);
        assert_eq!(shown(TokenRole::Viewer, "filtered"), said);
        assert_eq!(shown(TokenRole::Reader, "dead_lettered"), said);
        let mut nothing = None;
        mask_error(&caller(TokenRole::Viewer), &mut nothing);
        assert_eq!(nothing, None);
    }
}
