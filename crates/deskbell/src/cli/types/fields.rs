//! The fields of an event type as rows: path, kind and an example from the sample.

use deskbell_admin::{CatalogField, CatalogType};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

/// Characters of an example that are shown in the table.
const EXAMPLE_CHARS_MAX: usize = 48;

/// One field of an event.
#[derive(Serialize, JsonSchema)]
pub(super) struct FieldOutput {
    /// Where it is in the body: `data.email_addresses[].id`, with `[]` for every element of a list.
    pub(super) path: String,
    /// What its value is: `text`, `integer`, `list of objects`.
    pub(super) kind: String,
    /// Its value in the sample; absent where the sample lacks it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) example: Option<Value>,
}

/// The fields of `data` as the catalog describes them, and those around it as the sample has them.
pub(super) fn of(known: &CatalogType) -> Vec<FieldOutput> {
    let mut rows = Vec::new();
    let described = known.fields();
    for (name, value) in known.sample.as_object().into_iter().flatten() {
        if name == "data" && !known.names_a_deleted_object() && !described.is_empty() {
            collect(&described, "data", Some(value), &mut rows);
        } else {
            collect_sample(name, value, &mut rows);
        }
    }
    rows
}

fn collect(
    fields: &[CatalogField],
    parent: &str,
    sample: Option<&Value>,
    rows: &mut Vec<FieldOutput>,
) {
    for field in fields {
        let path = format!("{parent}.{}", field.name);
        let value = sample.and_then(|sample| sample.get(field.name));
        if field.fields.is_empty() {
            let example = value.cloned();
            rows.push(FieldOutput { path, kind: field.kind.clone(), example });
            continue;
        }
        rows.push(FieldOutput { path: path.clone(), kind: field.kind.clone(), example: None });
        match value {
            Some(Value::Array(list)) => {
                collect(&field.fields, &format!("{path}[]"), list.first(), rows);
            }
            _ if field.kind.starts_with("list") => {
                collect(&field.fields, &format!("{path}[]"), None, rows);
            }
            value => collect(&field.fields, &path, value, rows),
        }
    }
}

/// The fields of a value that nothing describes but itself.
fn collect_sample(path: &str, value: &Value, rows: &mut Vec<FieldOutput>) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            for (name, value) in members {
                collect_sample(&format!("{path}.{name}"), value, rows);
            }
        }
        value => {
            let (path, kind) = (path.to_owned(), kind_of(path, value).to_owned());
            rows.push(FieldOutput { path, kind, example: Some(value.clone()) });
        }
    }
}

fn kind_of(path: &str, value: &Value) -> &'static str {
    match value {
        Value::String(_) => "text",
        Value::Number(_) if path == "timestamp" => "time, in milliseconds",
        Value::Number(_) => "number",
        Value::Bool(_) => "true or false",
        _ => "any JSON",
    }
}

/// The example as the table shows it.
pub(super) fn in_short(example: &Value) -> String {
    let text = example.to_string();
    if text.chars().count() <= EXAMPLE_CHARS_MAX {
        return text;
    }
    text.chars().take(EXAMPLE_CHARS_MAX - 1).chain(['…']).collect()
}
