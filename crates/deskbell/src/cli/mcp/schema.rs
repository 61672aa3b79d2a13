//! The schema of a tool's answer, as clients know schemas.

use std::any::Any;
use std::sync::Arc;

use rmcp::handler::server::tool::schema_for_output;
use rmcp::model::JsonObject;
use schemars::JsonSchema;
use serde_json::Value;

/// The schema of what is answered, without the sizes of integers: JSON Schema has no such formats, and
/// clients warn of each.
pub(super) fn schema_of<T: JsonSchema + Any>() -> Arc<JsonObject> {
    let mut schema = Value::Object((*schema_for_output::<T>()).clone());
    remove_sizes(&mut schema);
    match schema {
        Value::Object(schema) => Arc::new(schema),
        _ => Arc::default(),
    }
}

fn remove_sizes(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            let is_size = |format: &str| format.starts_with("int") || format.starts_with("uint");
            if members.get("format").and_then(Value::as_str).is_some_and(is_size) {
                members.remove("format");
            }
            members.values_mut().for_each(remove_sizes);
        }
        Value::Array(elements) => elements.iter_mut().for_each(remove_sizes),
        _ => {}
    }
}
