//! Clerk's OpenAPI 3.0 description as JSON Schema.

use serde_json::{Map, Value, json};

/// The example of a request body, which may stand elsewhere.
pub(crate) fn example(description: &Value, body: &Value) -> Value {
    let example = body.get("example").or_else(|| {
        let first = body["examples"].as_object()?.values().next()?;
        let first =
            first.get("$ref").and_then(Value::as_str).map_or(first, |to| find(description, to));
        first.get("value")
    });
    example.cloned().unwrap_or_else(|| panic!("no example: {body}"))
}

/// The schema of the body of an event.
pub(crate) fn event(description: &Value, event_type: &str) -> Value {
    let operation = &description["x-webhooks"][event_type]["post"];
    let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
    assert!(schema.is_object(), "{event_type} is not described");
    json_schema(description, schema)
}

/// The schema of an event about an invitation, made of parts that are described.
pub(crate) fn invitation_event(description: &Value) -> Value {
    let data = json!({"$ref": "#/components/schemas/Invitation"});
    let envelope = json!({"$ref": "#/components/schemas/WebhookEventPayload"});
    json_schema(
        description,
        &json!({"allOf": [envelope, {"properties": {"data": data}, "required": ["data"]}]}),
    )
}

fn find<'a>(description: &'a Value, reference: &str) -> &'a Value {
    let pointer = reference.strip_prefix('#').expect("a reference into the description");
    description.pointer(pointer).unwrap_or_else(|| panic!("{reference} is not there"))
}

/// References resolved, `allOf` merged (else `additionalProperties: false` in one part would refuse
/// the members of another), `nullable` said as JSON Schema says it.
fn json_schema(description: &Value, node: &Value) -> Value {
    let Some(node) = node.as_object() else { return node.clone() };
    let mut schema = Map::new();
    let references =
        node.get("$ref").into_iter().map(|to| find(description, to.as_str().expect("text")));
    let parts = node.get("allOf").and_then(Value::as_array).into_iter().flatten();
    for part in references.chain(parts) {
        merge(&mut schema, json_schema(description, part));
    }
    let mut own = Map::new();
    for (key, value) in node {
        let value = match key.as_str() {
            "type" | "enum" | "required" | "pattern" => value.clone(),
            "properties" => {
                let members = value.as_object().into_iter().flatten();
                members
                    .map(|(name, member)| (name.clone(), json_schema(description, member)))
                    .collect()
            }
            "items" | "additionalProperties" => json_schema(description, value),
            "oneOf" | "anyOf" => value
                .as_array()
                .into_iter()
                .flatten()
                .map(|part| json_schema(description, part))
                .collect(),
            _ => continue,
        };
        own.insert(key.clone(), value);
    }
    merge(&mut schema, Value::Object(own));
    match node.get("nullable") {
        Some(Value::Bool(true)) => json!({"anyOf": [schema, {"type": "null"}]}),
        _ => Value::Object(schema),
    }
}

fn merge(into: &mut Map<String, Value>, from: Value) {
    let Value::Object(from) = from else { panic!("not a schema: {from}") };
    for (key, value) in from {
        match (into.get_mut(&key), value) {
            (Some(Value::Object(old)), Value::Object(new)) if key == "properties" => {
                old.extend(new);
            }
            (Some(Value::Array(old)), Value::Array(new)) if key == "required" => old.extend(new),
            (_, value) => drop(into.insert(key, value)),
        }
    }
}
