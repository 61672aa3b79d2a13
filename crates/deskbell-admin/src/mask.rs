//! Masking personal data: what is not known to be harmless is replaced.

use serde_json::{Map, Value};

/// The placeholder for a masked value.
const MASK: &str = "•••";

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

/// This JSON with every text and number masked, but for ids, times, states and the like.
#[must_use]
pub fn masked(json: &Value) -> Value {
    masked_text("", json)
}

/// The value of this key, masked unless the key says that it is harmless.
#[must_use]
pub(crate) fn masked_text(key: &str, value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let masked = members.iter().map(|(key, value)| (key.clone(), masked_text(key, value)));
            Value::Object(masked.collect::<Map<_, _>>())
        }
        Value::Array(elements) => {
            elements.iter().map(|element| masked_text(key, element)).collect()
        }
        Value::Null | Value::Bool(_) => value.clone(),
        Value::Number(_) | Value::String(_) if is_harmless(key) => value.clone(),
        Value::Number(_) | Value::String(_) => MASK.into(),
    }
}

fn is_harmless(key: &str) -> bool {
    HARMLESS.contains(&key)
        || key == "id"
        || key == "timestamp"
        || (key.ends_with("_id") && key != "external_id")
        || key.ends_with("_at")
        || key.ends_with("_count")
}

#[cfg(test)]
mod tests {
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
}
