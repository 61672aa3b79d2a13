//! `tree`: JSON text as a tree of values, whatever is in it.

use serde_json::{Map, Number, Value};

use super::scan::{end_of_value, is_space, skip_while};
use super::text::unescape;

/// How deep lists and objects may nest in a tree; one that stands deeper is null. Whatever goes
/// through a tree by recursion (serialising, CEL, templates, dropping it) goes no deeper than this.
pub const DEPTH_MAX: usize = 127;

/// The text as a tree. A list or an object deeper than [`DEPTH_MAX`] and a number beyond the range of
/// a double are null; a NUL and half a surrogate pair are U+FFFD; of a repeated member the last one
/// counts, as in JavaScript. A text that is not valid JSON has no particular tree.
#[must_use]
pub fn tree(text: &str) -> Value {
    let bytes = text.as_bytes();
    let mut open: Vec<Container> = Vec::new();
    let mut at = 0;
    loop {
        at = skip_while(bytes, at, |byte| is_space(byte) || matches!(byte, b',' | b':'));
        let value = match bytes.get(at) {
            None => return Value::Null,
            Some(b'}' | b']') => {
                at += 1;
                match open.pop() {
                    Some(container) => container.into_value(),
                    None => return Value::Null,
                }
            }
            Some(b'{') if open.len() < DEPTH_MAX => {
                at += 1;
                open.push(Container::Object { members: Map::new(), name: None });
                continue;
            }
            Some(b'[') if open.len() < DEPTH_MAX => {
                at += 1;
                open.push(Container::List(Vec::new()));
                continue;
            }
            Some(_) => {
                let start = at;
                at = end_of_value(bytes, start);
                scalar(text.get(start..at).unwrap_or_default())
            }
        };
        match open.last_mut() {
            Some(container) => container.take(value),
            None => return value,
        }
    }
}

/// A list or an object that is being read.
enum Container {
    List(Vec<Value>),
    Object {
        members: Map<String, Value>,
        /// The name of the member whose value comes next.
        name: Option<String>,
    },
}

impl Container {
    fn take(&mut self, value: Value) {
        match self {
            Self::List(list) => list.push(value),
            Self::Object { members, name } => match (name.take(), value) {
                (Some(name), value) => drop(members.insert(name, value)),
                (None, Value::String(text)) => *name = Some(text),
                (None, _) => {}
            },
        }
    }

    fn into_value(self) -> Value {
        match self {
            Self::List(list) => Value::Array(list),
            Self::Object { members, .. } => Value::Object(members),
        }
    }
}

/// A text, a number, true, false or null. What stands too deep comes here whole, and is null.
fn scalar(written: &str) -> Value {
    match written.as_bytes() {
        [b'"', .., b'"'] => Value::String(unescape(&written[1..written.len() - 1]).into_owned()),
        b"true" => Value::Bool(true),
        b"false" => Value::Bool(false),
        [b'-' | b'0'..=b'9', ..] => number(written).map_or(Value::Null, Value::Number),
        _ => Value::Null,
    }
}

/// Exact up to 64 bits, and else the nearest double.
fn number(written: &str) -> Option<Number> {
    let signed = written.parse().map(|number: i64| number.into());
    let whole = signed.or_else(|_| written.parse().map(|number: u64| number.into()));
    whole.ok().or_else(|| Number::from_f64(written.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn what_no_value_holds_costs_its_own_member() {
        for (written, expected) in [
            (r#"{"a":1e400,"b":-1e400,"c":2}"#, json!({"a": null, "b": null, "c": 2})),
            (r#"{"a":1e-400,"b":19.99,"c":-0}"#, json!({"a": 0.0, "b": 19.99, "c": 0})),
            (
                r#"{"max":18446744073709551615,"min":-9223372036854775808,"more":18446744073709551616}"#,
                json!({"max": u64::MAX, "min": i64::MIN, "more": 18_446_744_073_709_551_616.0}),
            ),
            (
                r#"{"a":"x\ud800y","b":"\udc00","\u0000":"\u0000","c":"\ud83d\ude00"}"#,
                json!({"a": "x\u{fffd}y", "b": "\u{fffd}", "\u{fffd}": "\u{fffd}", "c": "😀"}),
            ),
            (r#"{"a":1,"\u0061":2}"#, json!({"a": 2})),
            (r#" [ { } , [ ] , "" , null ] "#, json!([{}, [], "", null])),
            (r#""text""#, json!("text")),
            ("7", json!(7)),
        ] {
            assert_eq!(tree(written), expected, "{written}");
        }
    }

    #[test]
    fn what_is_too_deep_is_null_where_it_is_too_deep() {
        for depth in [DEPTH_MAX - 1, DEPTH_MAX, DEPTH_MAX + 1, 1_000, 100_000] {
            for (opening, closing) in [("[", "]"), ("{\"a\":", "}")] {
                let inside = format!("{}{}{}", opening.repeat(depth), 1, closing.repeat(depth));
                let read = tree(&format!(r#"{{"before":1,"deep":{inside},"after":{{"b":2}}}}"#));
                assert_eq!((&read["before"], &read["after"]), (&json!(1), &json!({"b": 2})));
                let (mut levels, mut value) = (1, &read["deep"]);
                while let Some(inner) = value.get(0).or_else(|| value.get("a")) {
                    (levels, value) = (levels + 1, inner);
                }
                let kept = depth < DEPTH_MAX;
                assert_eq!(value, &if kept { json!(1) } else { Value::Null }, "{depth}");
                assert_eq!(levels, (depth + 1).min(DEPTH_MAX), "{depth}");
            }
        }
    }

    #[test]
    fn what_is_not_json_ends() {
        for text in ["", "{", "[1", "]", "{\"a\"}", "{1:2}", "\"", "\"\\", "{\"a\":\"", "é", "-"] {
            let _ = tree(text);
        }
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            proptest::num::f64::NORMAL.prop_map(Value::from),
            "[^\0]*".prop_map(Value::from),
        ];
        leaf.prop_recursive(5, 64, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::hash_map("[^\0]*", inner, 0..6)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(value in any_json(), pretty: bool) {
            let text = if pretty {
                serde_json::to_string_pretty(&value).unwrap()
            } else {
                value.to_string()
            };
            prop_assert_eq!(tree(&text), value);
        }

        #[test]
        fn any_text_ends(text in "[\\[\\]{},:\"\\\\a1u0 é-]{0,60}") {
            let _ = tree(&text);
        }
    }
}
