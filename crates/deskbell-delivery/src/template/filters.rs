//! The filters: those whose work can grow within the limits of a rendering, and some that must know where
//! their result goes to.

use minijinja::value::Rest;
use minijinja::{Environment, Error, ErrorKind, State, Value, filters};
use serde_json::Value as Json;

use super::escape::{Escape, slack};
use super::limits;
use super::meter::charge_value;

/// Adds every filter that there is, as it is for this kind of output.
pub(super) fn add_all(environment: &mut Environment<'_>, escape: Escape) {
    for (name, filter) in short_filters() {
        let call =
            move |state: &State<'_, '_>, arguments: Rest<Value>| filter.call(state, &arguments);
        environment.add_filter(name, call);
    }
    for (name, filter) in long_filters() {
        add(environment, name, filter);
    }
    match escape {
        Escape::Address => add(environment, "join", Value::from_function(join_addresses)),
        Escape::SlackBlocks => {
            // What is marked as safe elsewhere would break out of its string here.
            environment.remove_filter("safe");
            add(environment, "tojson", Value::from_function(slack_json));
        }
        Escape::Text | Escape::Html | Escape::Slack => {}
    }
}

/// A filter that is charged for what it is given and for what it makes.
fn add(environment: &mut Environment<'_>, name: &'static str, filter: Value) {
    let within_limits = move |state: &State<'_, '_>, arguments: Rest<Value>| {
        limits::before(state, name, &arguments)?;
        let made = filter.call(state, &arguments)?;
        charge_value(state, &made)?;
        Ok::<_, Error>(made)
    };
    environment.add_filter(name, within_limits);
}

/// The filters whose work is always the same.
pub(super) fn short_filters() -> [(&'static str, Value); 8] {
    [
        ("default", Value::from_function(filters::default)),
        ("d", Value::from_function(filters::default)),
        ("round", Value::from_function(filters::round)),
        ("abs", Value::from_function(filters::abs)),
        ("int", Value::from_function(filters::int)),
        ("float", Value::from_function(filters::float)),
        ("bool", Value::from_function(filters::bool)),
        ("first", Value::from_function(filters::first)),
    ]
}

/// The filters whose work grows with what they are given.
pub(super) fn long_filters() -> [(&'static str, Value); 40] {
    [
        ("safe", Value::from_function(filters::safe)),
        ("escape", Value::from_function(filters::escape)),
        ("e", Value::from_function(filters::escape)),
        ("upper", Value::from_function(filters::upper)),
        ("lower", Value::from_function(filters::lower)),
        ("title", Value::from_function(filters::title)),
        ("capitalize", Value::from_function(filters::capitalize)),
        ("replace", Value::from_function(filters::replace)),
        ("length", Value::from_function(filters::length)),
        ("count", Value::from_function(filters::length)),
        ("dictsort", Value::from_function(filters::dictsort)),
        ("items", Value::from_function(filters::items)),
        ("reverse", Value::from_function(filters::reverse)),
        ("trim", Value::from_function(filters::trim)),
        ("join", Value::from_function(filters::join)),
        ("split", Value::from_function(filters::split)),
        ("lines", Value::from_function(filters::lines)),
        ("attr", Value::from_function(filters::attr)),
        ("last", Value::from_function(filters::last)),
        ("min", Value::from_function(filters::min)),
        ("max", Value::from_function(filters::max)),
        ("sort", Value::from_function(filters::sort)),
        ("list", Value::from_function(filters::list)),
        ("string", Value::from_function(filters::string)),
        ("batch", Value::from_function(filters::batch)),
        ("slice", Value::from_function(filters::slice)),
        ("sum", Value::from_function(filters::sum)),
        ("indent", Value::from_function(filters::indent)),
        ("select", Value::from_function(filters::select)),
        ("reject", Value::from_function(filters::reject)),
        ("selectattr", Value::from_function(filters::selectattr)),
        ("rejectattr", Value::from_function(filters::rejectattr)),
        ("map", Value::from_function(filters::map)),
        ("groupby", Value::from_function(filters::groupby)),
        ("unique", Value::from_function(filters::unique)),
        ("chain", Value::from_function(filters::chain)),
        ("zip", Value::from_function(filters::zip)),
        ("pprint", Value::from_function(filters::pprint)),
        ("format", Value::from_function(filters::format)),
        ("tojson", Value::from_function(filters::tojson)),
    ]
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
