//! A JSON schema as a tree of fields.

use maud::{Markup, html};
use serde_json::Value;

/// Objects inside objects are unfolded this deep: a schema can name itself.
const DEPTH_MAX: usize = 4;
/// References that lead to references are followed this far.
const REFERENCES_MAX: usize = 8;

/// What a reference refers to; anything else is itself.
pub(super) fn resolved<'a>(json: &'a Value, document: &'a Value) -> &'a Value {
    let mut found = json;
    for _ in 0..REFERENCES_MAX {
        let pointer = found["$ref"].as_str().and_then(|text| text.strip_prefix('#'));
        match pointer.and_then(|pointer| document.pointer(pointer)) {
            Some(next) => found = next,
            None => break,
        }
    }
    found
}

/// What a value is, in a word or two.
pub(super) fn kind(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str() {
        return name.rsplit('/').next().unwrap_or(name).to_owned();
    }
    if let Some(values) = schema["enum"].as_array() {
        let values: Vec<_> = values.iter().map(literal).collect();
        return values.join(" | ");
    }
    for key in ["oneOf", "anyOf", "allOf"] {
        if let Some(parts) = schema[key].as_array() {
            let parts: Vec<_> = parts.iter().map(kind).collect();
            return parts.join(if key == "allOf" { " and " } else { " or " });
        }
    }
    let plain = match &schema["type"] {
        Value::String(one) => one.clone(),
        Value::Array(several) => several.iter().map(literal).collect::<Vec<_>>().join(" or "),
        _ => "any JSON".to_owned(),
    };
    match schema.get("items") {
        Some(items) => format!("{plain} of {}", kind(items)),
        None => schema["format"].as_str().map_or(plain.clone(), |form| format!("{plain}, {form}")),
    }
}

fn literal(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

pub(super) fn tree(schema: &Value, document: &Value) -> Markup {
    let fields = fields(schema, document, 0);
    html! {
        @if fields.is_empty() { p.muted { (kind(schema)) } }
        @else { ul.fields { @for field in fields { (field) } } }
    }
}

fn fields(schema: &Value, document: &Value, depth: usize) -> Vec<Markup> {
    let schema = resolved(schema, document);
    if depth >= DEPTH_MAX {
        return Vec::new();
    }
    if let Some(items) = schema.get("items") {
        return fields(items, document, depth);
    }
    let parts = ["allOf", "oneOf", "anyOf"].into_iter().filter_map(|key| schema[key].as_array());
    let mut found: Vec<_> =
        parts.flatten().flat_map(|part| fields(part, document, depth)).collect();
    let required = |name: &str| {
        schema["required"].as_array().is_some_and(|names| names.iter().any(|one| one == name))
    };
    for (name, member) in schema["properties"].as_object().into_iter().flatten() {
        found.push(field(name, member, required(name), document, depth));
    }
    found
}

fn field(name: &str, member: &Value, required: bool, document: &Value, depth: usize) -> Markup {
    let inner = fields(member, document, depth + 1);
    let described = resolved(member, document)["description"].as_str();
    let described = member["description"].as_str().or(described);
    let line = html! {
        code { (name) }
        span.muted { (kind(member)) @if required { ", required" } }
    };
    html! {
        li {
            @if inner.is_empty() { (line) } @else {
                details { summary { (line) } ul.fields { @for one in inner { (one) } } }
            }
            @if let Some(text) = described { p.muted { (text) } }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_schema_that_names_itself_ends() {
        let document = json!({"components": {"schemas": {
            "Tree": {"type": "object", "required": ["value"], "properties": {
                "value": {"type": "string", "description": "what it is"},
                "children": {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}},
            }},
        }}});
        let schema = json!({"$ref": "#/components/schemas/Tree"});
        let shown = tree(&schema, &document).into_string();
        assert_eq!(shown.matches("<code>value</code>").count(), DEPTH_MAX);
        assert!(shown.contains("array of Tree") && shown.contains("string, required"), "{shown}");
    }

    #[test]
    fn references_in_a_circle_end() {
        let document = json!({"a": {"$ref": "#/b"}, "b": {"$ref": "#/a"}});
        assert!(resolved(&document["a"], &document).is_object());
    }

    #[test]
    fn kinds_are_said_in_a_few_words() {
        for (schema, expected) in [
            (json!({"type": "string", "format": "date-time"}), "string, date-time"),
            (json!({"type": ["integer", "null"]}), "integer or null"),
            (json!({"type": "array", "items": {"type": "string"}}), "array of string"),
            (json!({"enum": ["a", "b"]}), "a | b"),
            (json!({"oneOf": [{"type": "null"}, {"$ref": "#/x/Event"}]}), "null or Event"),
            (json!({}), "any JSON"),
        ] {
            assert_eq!(kind(&schema), expected);
        }
    }
}
