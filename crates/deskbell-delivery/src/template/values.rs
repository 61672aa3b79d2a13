//! An event as a template sees it.

use deskbell_expr::EventView;
use minijinja::Value;
use serde_json::Value as Json;

/// The event's roots, of those that are wanted.
pub(super) fn context(view: &EventView<'_>, roots: &[&'static str]) -> Value {
    let root = |name: &&'static str| Some((*name, value(view.root(name)?.as_ref())));
    roots.iter().filter_map(root).collect()
}

/// Null becomes undefined, as what is missing is: `a ~ b` has no "none" in it, and `default` holds.
pub(super) fn value(json: &Json) -> Value {
    match json {
        Json::Null => Value::UNDEFINED,
        Json::Bool(whether) => Value::from(*whether),
        Json::Number(number) => number
            .as_i64()
            .map(Value::from)
            .or_else(|| number.as_u64().map(Value::from))
            .unwrap_or_else(|| Value::from(number.as_f64().unwrap_or(f64::NAN))),
        Json::String(text) => Value::from(text.as_str()),
        Json::Array(list) => list.iter().map(value).collect(),
        Json::Object(members) => {
            members.iter().map(|(name, member)| (name.as_str(), value(member))).collect()
        }
    }
}
