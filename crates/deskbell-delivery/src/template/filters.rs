//! Filters that must know where their result goes to.

use minijinja::{Environment, Error, ErrorKind, Value};
use serde_json::Value as Json;

use super::escape::{Escape, slack};

/// Puts the filters right for a kind of output.
pub(super) fn fit(environment: &mut Environment<'_>, escape: Escape) {
    match escape {
        Escape::Address => environment.add_filter("join", join_addresses),
        Escape::SlackBlocks => {
            // What is marked as safe elsewhere would break out of its string here.
            environment.remove_filter("safe");
            environment.add_filter("tojson", slack_json);
        }
        Escape::Text | Escape::Html | Escape::Slack => {}
    }
}

/// A list of addresses: the separator is the template's, so that it parts them.
fn join_addresses(list: &Value, separator: Option<&str>) -> Result<Value, Error> {
    let words: Vec<_> = list
        .try_iter()?
        .filter(|word| !word.is_undefined() && !word.is_none())
        .map(|word| Escape::Address.apply(&word.to_string()).into_owned())
        .collect();
    Ok(Value::from_safe_string(words.join(separator.unwrap_or_default())))
}

/// A value as JSON whose strings are Slack's text.
fn slack_json(value: &Value) -> Result<Value, Error> {
    let json = serde_json::to_value(value).map_err(|_| Error::from(ErrorKind::BadSerialization))?;
    Ok(Value::from_safe_string(slack_strings(json).to_string()))
}

fn slack_strings(json: Json) -> Json {
    match json {
        Json::String(text) => Json::String(slack(&text).into_owned()),
        Json::Array(list) => Json::Array(list.into_iter().map(slack_strings).collect()),
        Json::Object(members) => {
            members.into_iter().map(|(name, value)| (name, slack_strings(value))).collect()
        }
        other => other,
    }
}
