//! Events made of the catalog's samples.

use clerk_webhooks::catalog;
use deskbell_sim::Message;
use serde_json::Value;

/// The sample of this type, as it happened at this time, with these values at these paths. A
/// version of its entity has the same time, in `created_at` and `updated_at` where it has them.
pub(super) fn event(event_type: &'static str, at: i64, values: &[(&str, Value)]) -> Message {
    let sample = catalog::find(event_type).unwrap().sample;
    let mut body: Value = serde_json::from_str(sample).unwrap();
    body["timestamp"] = at.into();
    for time in ["created_at", "updated_at"] {
        if let Some(value) = body["data"].get_mut(time) {
            *value = at.into();
        }
    }
    for (path, value) in values {
        let sandbox = body.pointer_mut(path);
        *sandbox.unwrap_or_else(|| panic!("{event_type} has no {path}")) = value.clone();
    }
    let id = format!("msg_{event_type}_{at}");
    Message { id, event_type, body: body.to_string().into() }
}
