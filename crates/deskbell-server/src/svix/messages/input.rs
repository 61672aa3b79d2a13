//! What a client says of a message that it makes.

use deskbell_admin::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::svix::errors::{ApiError, Part};

/// Bytes of a message's id or type, as Svix has it.
const NAME_BYTES_MAX: usize = 256;
/// How long Svix keeps payloads where nothing else is said.
const RETENTION_DEFAULT_DAYS: u32 = 90;

/// A message. What Deskbell does not have must be null or left out.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = MessageIn)]
pub(in crate::svix) struct MessageIn {
    /// The id of the message, unique within the source.
    #[serde(default)]
    pub(in crate::svix) event_id: Option<String>,
    pub(in crate::svix) event_type: String,
    #[schema(value_type = Object)]
    pub(in crate::svix) payload: Map<String, Value>,
    #[serde(default)]
    channels: Option<Vec<String>>,
    #[serde(default)]
    tags: Option<Vec<String>>,
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    application: Option<Value>,
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    transformations_params: Option<Value>,
    #[serde(default)]
    deliver_at: Option<Timestamp>,
    /// Null or 90: `retention` in the config decides.
    #[serde(default)]
    payload_retention_period: Option<u32>,
    #[serde(default)]
    payload_retention_hours: Option<u32>,
}

impl MessageIn {
    /// Refuses what makes no sense, and what would be ignored.
    pub(in crate::svix) fn check(&self) -> Result<(), ApiError> {
        if let Some(id) = &self.event_id {
            check_name("eventId", id)?;
        }
        check_name("eventType", &self.event_type)?;
        let is_given =
            |list: &Option<Vec<String>>| list.as_ref().is_some_and(|list| !list.is_empty());
        let period = self.payload_retention_period;
        let unsupported = [
            ("channels", is_given(&self.channels), "Deskbell has no channels"),
            ("tags", is_given(&self.tags), "Deskbell has no tags"),
            (
                "application",
                self.application.is_some(),
                "applications are the sources of the config file",
            ),
            (
                "transformationsParams",
                self.transformations_params.is_some(),
                "Deskbell has no transformations, and sends payloads as JSON",
            ),
            ("deliverAt", self.deliver_at.is_some(), "messages are sent at once"),
            (
                "payloadRetentionPeriod",
                period.is_some_and(|days| days != RETENTION_DEFAULT_DAYS),
                "`retention` in the config decides how long payloads are kept",
            ),
            (
                "payloadRetentionHours",
                self.payload_retention_hours.is_some(),
                "`retention` in the config decides how long payloads are kept",
            ),
        ];
        match unsupported.iter().find(|(_, is_given, _)| *is_given) {
            Some((name, _, reason)) => Err(ApiError::invalid(Part::Body, name, *reason)),
            None => Ok(()),
        }
    }
}

/// An id, a uid or a type that a client may choose.
pub(in crate::svix) fn check_name(field: &str, name: &str) -> Result<(), ApiError> {
    let is_known = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if name.is_empty() || name.len() > NAME_BYTES_MAX || !name.bytes().all(is_known) {
        let message = format!("expected 1 to {NAME_BYTES_MAX} letters, digits, `-`, `_` or `.`");
        return Err(ApiError::invalid(Part::Body, field, message));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_would_be_ignored_is_refused() {
        let minimal = json!({"eventType": "user.created", "payload": {}});
        for (name, value, is_accepted) in [
            ("channels", json!(["a"]), false),
            ("channels", json!([]), true),
            ("channels", json!(null), true),
            ("tags", json!(["a"]), false),
            ("application", json!({"name": "x"}), false),
            ("transformationsParams", json!({"rawPayload": "x"}), false),
            ("deliverAt", json!("2026-12-01T00:00:00Z"), false),
            ("deliverAt", json!(null), true),
            ("payloadRetentionPeriod", json!(90), true),
            ("payloadRetentionPeriod", json!(5), false),
            ("payloadRetentionHours", json!(1), false),
            ("eventId", json!("order-1"), true),
            ("eventId", json!("order 1"), false),
            ("eventType", json!(""), false),
        ] {
            let mut body = minimal.clone();
            body[name] = value;
            let checked = MessageIn::deserialize(&body).unwrap().check();
            assert_eq!(checked.is_ok(), is_accepted, "{body}: {checked:?}");
            if let Err(ApiError::Invalid(error)) = checked {
                assert_eq!(error.loc, ["body", name]);
            }
        }
    }
}
