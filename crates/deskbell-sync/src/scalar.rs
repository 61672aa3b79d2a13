//! Values of expressions as `_versions` keeps them: a JSON array of a key's, an object of the other
//! columns', which distinguishes lists and times from texts.

use std::borrow::Cow;

use clerk_webhooks::UnixMillis;
use deskbell_expr::Value;
use serde_json::json;

use crate::json::{clean_text, without_nul};

/// The values as one text. The same values make the same text.
pub(crate) fn encode<'a>(values: impl IntoIterator<Item = &'a Value>) -> String {
    let array: serde_json::Value = values.into_iter().map(one).collect();
    array.to_string()
}

/// The values of columns as one text, each by its column's name.
pub(crate) fn encode_columns<'a>(columns: impl Iterator<Item = (&'a str, &'a Value)>) -> String {
    let columns = columns.map(|(name, value)| (name.to_owned(), one(value)));
    serde_json::Value::Object(columns.collect()).to_string()
}

fn one(value: &Value) -> serde_json::Value {
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Bool(boolean) => json!(boolean),
        Value::Int(integer) => json!(integer),
        Value::UInt(integer) => json!(integer),
        Value::Float(float) => json!(float),
        Value::Text(text) => json!(without_nul(text)),
        Value::Json(text) => json!({ "json": clean_text(text) }),
        Value::Time(time) => json!({ "ms": time.as_millis() }),
    }
}

/// The values that [`encode`] wrote; none of anything else.
pub(crate) fn decode(text: &str) -> Vec<Value> {
    let array: Vec<serde_json::Value> = serde_json::from_str(text).unwrap_or_default();
    array.into_iter().map(value).collect()
}

/// The values that these columns have in what [`encode_columns`] wrote: null where it did not know
/// the column. An earlier version wrote an array, by the order that the columns had then.
pub(crate) fn decode_columns<'a>(text: &str, names: impl Iterator<Item = &'a str>) -> Vec<Value> {
    match serde_json::from_str(text) {
        Ok(serde_json::Value::Object(mut columns)) => {
            names.map(|name| columns.remove(name).map_or(Value::Null, value)).collect()
        }
        Ok(serde_json::Value::Array(values)) => values.into_iter().map(value).collect(),
        _ => Vec::new(),
    }
}

fn value(json: serde_json::Value) -> Value {
    match json {
        serde_json::Value::Bool(boolean) => Value::Bool(boolean),
        serde_json::Value::String(text) => Value::Text(text),
        serde_json::Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(integer), _) => Value::Int(integer),
            (None, Some(integer)) => Value::UInt(integer),
            (None, None) => number.as_f64().map_or(Value::Null, Value::Float),
        },
        serde_json::Value::Object(object) => {
            let time = object.get("ms").and_then(serde_json::Value::as_i64);
            let json = object.get("json").and_then(serde_json::Value::as_str);
            match (time.and_then(UnixMillis::from_millis), json) {
                (Some(time), _) => Value::Time(time),
                (None, Some(text)) => Value::Json(text.to_owned()),
                (None, None) => Value::Null,
            }
        }
        serde_json::Value::Null | serde_json::Value::Array(_) => Value::Null,
    }
}

/// A value without what no database holds.
pub(crate) fn cleaned(value: Value) -> Value {
    match value {
        Value::Text(text) if text.contains('\0') => Value::Text(without_nul(&text).into_owned()),
        Value::Json(text) => Value::Json(clean_text(&text).into_owned()),
        other => other,
    }
}

/// A value as text, as a database reads it into a column of any type; `None` for null.
pub(crate) fn as_text(value: &Value) -> Option<Cow<'_, str>> {
    Some(match value {
        Value::Null => return None,
        Value::Bool(boolean) => Cow::Borrowed(if *boolean { "true" } else { "false" }),
        Value::Int(integer) => Cow::Owned(integer.to_string()),
        Value::UInt(integer) => Cow::Owned(integer.to_string()),
        Value::Float(float) => Cow::Owned(float.to_string()),
        Value::Text(text) => Cow::Borrowed(text),
        Value::Json(text) => Cow::Borrowed(text),
        Value::Time(time) => Cow::Owned(time.to_string()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_back_as_they_were() {
        let values = [
            Value::Null,
            Value::Bool(true),
            Value::Int(-5),
            Value::UInt(u64::MAX),
            Value::Float(1.5),
            Value::Float(2.0),
            Value::Text("a\"b".to_owned()),
            Value::Json("[1,{\"a\":null}]".to_owned()),
            Value::Time(UnixMillis::from_millis(1_654_012_591_835).unwrap()),
        ];
        assert!(decode(&encode(&values)) == values);
        assert!(decode("nonsense").is_empty());
    }

    #[test]
    fn columns_are_found_by_their_names() {
        let (name, plan) = (Value::Text("Ada".to_owned()), Value::Int(1));
        let text = encode_columns([("name", &name), ("plan", &plan)].into_iter());
        let found = decode_columns(&text, ["plan", "age", "name"].into_iter());
        assert!(found == [plan.clone(), Value::Null, name.clone()]);
        let earlier =
            decode_columns(&encode(&[name.clone(), plan.clone()]), ["a", "b"].into_iter());
        assert!(earlier == [name, plan], "by the order");
    }

    #[test]
    fn no_text_bears_what_no_database_holds() {
        let values = [Value::Text("a\0b".to_owned()), Value::Json("\"\\u0000\"".to_owned())];
        let decoded = decode(&encode(&values));
        assert!(decoded[0] == Value::Text("a\u{fffd}b".to_owned()));
        assert!(decoded[1] == Value::Json("\"\\ufffd\"".to_owned()));
    }
}
