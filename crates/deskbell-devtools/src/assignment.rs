//! `--set path=value`: a value put into a sample.

use std::str::FromStr;

use deskbell_config::nearest;
use serde_json::{Map, Value};

/// One value, and where it goes: keys and list positions, separated by dots.
#[derive(Debug, Clone, PartialEq)]
pub struct Assignment {
    path: String,
    value: Value,
}

/// The sample has nothing at this path.
#[derive(Debug, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
#[error("the sample has no path `{path}`")]
pub struct UnknownPath {
    path: String,
    #[help]
    help: String,
}

impl FromStr for Assignment {
    type Err = String;

    /// The value is JSON where it reads as such, and text otherwise.
    fn from_str(text: &str) -> Result<Self, String> {
        let (path, value) =
            text.split_once('=').ok_or("expected PATH=VALUE, for example data.first_name=Ada")?;
        let value = serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.to_owned()));
        Self::new(path, value)
            .ok_or_else(|| format!("expected a path such as data.first_name, found `{path}`"))
    }
}

impl Assignment {
    /// `None` where the path is none.
    pub(crate) fn new(path: &str, value: Value) -> Option<Self> {
        let is_path = !path.split('.').any(str::is_empty);
        is_path.then(|| Self { path: path.to_owned(), value })
    }

    /// The path, and what is set there.
    pub(crate) fn parts(&self) -> (String, Value) {
        (self.path.clone(), self.value.clone())
    }

    /// Sets the value. With `add`, a path that the sample lacks is added.
    pub fn apply(&self, sample: &mut Value, add: bool) -> Result<(), UnknownPath> {
        let pointer = pointer(&self.path);
        if sample.pointer(&pointer).is_none() && !add {
            return Err(self.unknown(sample));
        }
        let mut at = sample;
        for key in self.path.split('.') {
            at = step(at, key).ok_or_else(|| UnknownPath {
                path: self.path.clone(),
                help: format!("expected a position in the list, found `{key}`"),
            })?;
        }
        *at = self.value.clone();
        Ok(())
    }

    fn unknown(&self, sample: &Value) -> UnknownPath {
        let mut known = Vec::new();
        paths(sample, "", &mut known);
        let known: Vec<_> = known.iter().map(String::as_str).collect();
        let with_data = format!("data.{}", self.path);
        let near = if known.contains(&&*with_data) {
            Some(&*with_data)
        } else {
            nearest::one(&self.path, &known)
        };
        let near = near.map_or_else(String::new, |near| format!("did you mean `{near}`? "));
        UnknownPath {
            path: self.path.clone(),
            help: format!("{near}Pass --add beside --set to add it"),
        }
    }
}

fn pointer(path: &str) -> String {
    path.split('.').map(|key| format!("/{}", key.replace('~', "~0").replace('/', "~1"))).collect()
}

/// What is under the key, made where it is missing.
fn step<'a>(at: &'a mut Value, key: &str) -> Option<&'a mut Value> {
    if let Value::Array(list) = at {
        let position: usize = key.parse().ok()?;
        if position == list.len() {
            list.push(Value::Null);
        }
        return list.get_mut(position);
    }
    if !at.is_object() {
        *at = Value::Object(Map::new());
    }
    at.as_object_mut().map(|table| table.entry(key).or_insert(Value::Null))
}

/// Every path of the sample.
fn paths(value: &Value, prefix: &str, found: &mut Vec<String>) {
    let mut visit = |key: &str, value: &Value| {
        let path = if prefix.is_empty() { key.to_owned() } else { format!("{prefix}.{key}") };
        paths(value, &path, found);
        found.push(path);
    };
    match value {
        Value::Object(table) => table.iter().for_each(|(key, value)| visit(key, value)),
        Value::Array(list) => {
            list.iter().enumerate().for_each(|(at, value)| visit(&at.to_string(), value));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn set(assignment: &str, add: bool) -> Result<Value, UnknownPath> {
        let mut sample = json!({ "data": { "id": "user_1", "emails": [{ "a": 1 }] }, "n": null });
        assignment.parse::<Assignment>().unwrap().apply(&mut sample, add)?;
        Ok(sample)
    }

    #[test]
    fn a_value_is_json_where_it_reads_as_such() {
        for (text, value) in [
            ("n=7", json!(7)),
            ("n=true", json!(true)),
            ("n=null", json!(null)),
            ("n=Ada", json!("Ada")),
            ("n=\"7\"", json!("7")),
            ("n=", json!("")),
            ("n=a=b", json!("a=b")),
            (r#"n={"x":[1]}"#, json!({ "x": [1] })),
        ] {
            assert_eq!(set(text, false).unwrap()["n"], value, "{text}");
        }
    }

    #[test]
    fn keys_and_positions_lead_to_the_place() {
        assert_eq!(set("data.emails.0.a=2", false).unwrap()["data"]["emails"][0]["a"], 2);
    }

    #[test]
    fn a_path_that_the_sample_lacks_is_an_error_that_names_the_nearest() {
        let error = set("id=user_2", false).unwrap_err();
        assert_eq!(error.to_string(), "the sample has no path `id`");
        assert_eq!(error.help, "did you mean `data.id`? Pass --add beside --set to add it");
        let error = set("data.emials=1", false).unwrap_err();
        assert!(error.help.contains("`data.emails`"), "{}", error.help);
        set("data.emails.1.a=2", false).unwrap_err();
    }

    #[test]
    fn adding_makes_what_is_missing() {
        assert_eq!(set("data.plan.name=pro", true).unwrap()["data"]["plan"]["name"], "pro");
        assert_eq!(set("data.emails.1.a=2", true).unwrap()["data"]["emails"][1]["a"], 2);
        set("data.emails.7.a=2", true).unwrap_err();
        set("data.emails.first=2", true).unwrap_err();
    }

    #[test]
    fn what_is_no_assignment_is_refused() {
        for text in ["data.id", "=1", "data..id=1", ".=1"] {
            text.parse::<Assignment>().unwrap_err();
        }
    }
}
