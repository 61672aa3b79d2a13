//! The page `docs/json-output.md`: what `--json` prints, made from the types that are printed.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value};

const INTRODUCTION: &str = "\
# What `--json` prints

Each of these commands prints one JSON value on stdout: the fields, with what they mean. Fields may be added; none is renamed or
removed within a major version. An error is one line of JSON on [stderr](#errors), and the exit code says the
same. This page is generated from the program: do not edit it.
";

/// The page, as it grows.
pub(super) struct Page {
    text: String,
    schemas: SchemaGenerator,
}

impl Page {
    pub(super) fn new() -> Self {
        let settings = schemars::generate::SchemaSettings::draft2020_12().for_serialize();
        Self { text: INTRODUCTION.to_owned(), schemas: settings.into_generator() }
    }

    /// Adds what this is printed as.
    pub(super) fn add<T: JsonSchema>(&mut self, title: &str) {
        let schema = self.schemas.subschema_for::<T>();
        let printed = type_of(schema.as_value());
        let article = if printed.starts_with("array") { "An " } else { "" };
        let _ = write!(self.text, "\n## {title}\n\n{article}{printed}\n");
    }

    /// The page, with the values that the commands print.
    pub(super) fn finish(mut self) -> String {
        let values: BTreeMap<_, _> = self.schemas.take_definitions(true).into_iter().collect();
        self.text += "\n## Values\n";
        for (name, schema) in &values {
            let _ = writeln!(self.text, "\n### {name}");
            let meaning = description(schema);
            if !meaning.is_empty() {
                let _ = writeln!(self.text, "\n{meaning}");
            }
            self.text += &body(schema);
        }
        self.text
    }
}

/// In a line; without the links that only Rust's documentation has.
fn description(schema: &Value) -> String {
    let text = schema["description"].as_str().unwrap_or_default();
    text.replace('\n', " ").replace("[`", "`").replace("`]", "`")
}

/// A table of an object's fields, or the values of what is one of several.
fn body(schema: &Value) -> String {
    if let Some(fields) = schema["properties"].as_object() {
        return table(fields);
    }
    let several = schema["oneOf"].as_array().cloned().unwrap_or_default();
    let mut text = "\n".to_owned();
    for one in schema["enum"].as_array().into_iter().flatten() {
        let _ = writeln!(text, "- `{}`", one.as_str().unwrap_or_default());
    }
    for one in &several {
        let names = one["enum"].as_array().into_iter().flatten().chain(one.get("const"));
        for name in names {
            let meaning = description(one);
            let colon = if meaning.is_empty() { "" } else { ": " };
            let _ = writeln!(text, "- `{}`{colon}{meaning}", name.as_str().unwrap_or_default());
        }
    }
    text
}

fn table(fields: &Map<String, Value>) -> String {
    let mut text = "\n| field | type | meaning |\n| --- | --- | --- |\n".to_owned();
    for (name, field) in fields {
        let meaning = description(field).replace('|', "\\|");
        let _ = writeln!(text, "| `{name}` | {} | {meaning} |", type_of(field));
    }
    text
}

/// The type in words, with a link where it is one of the values.
fn type_of(schema: &Value) -> String {
    if let Some(reference) = schema["$ref"].as_str() {
        let name = reference.rsplit('/').next().unwrap_or(reference);
        return format!("[{name}](#{})", name.to_lowercase());
    }
    if let Some(several) = schema["anyOf"].as_array() {
        return several.iter().map(type_of).collect::<Vec<_>>().join(" or ");
    }
    let name = |name: &Value| match name.as_str().unwrap_or_default() {
        "array" => format!("array of {}", type_of(&schema["items"])),
        "object" if schema["additionalProperties"].is_object() => {
            format!("object of {}", type_of(&schema["additionalProperties"]))
        }
        "string" if schema["format"] == "date-time" => "time".to_owned(),
        name => name.to_owned(),
    };
    match &schema["type"] {
        Value::Array(names) => names.iter().map(name).collect::<Vec<_>>().join(" or "),
        Value::String(_) => name(&schema["type"]),
        _ => "any".to_owned(),
    }
}
