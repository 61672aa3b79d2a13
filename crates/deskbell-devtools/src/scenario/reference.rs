//! `{{user.id}}`: what another step's `data` holds.

use deskbell_config::nearest;
use serde_json::Value;

use super::error::ScenarioFault;

/// The data of the steps that have a name.
pub(super) type Named<'a> = Vec<(&'a str, &'a Value)>;

/// The value with every reference in its texts replaced. A text that is one reference becomes what it
/// refers to, of whatever kind; in a longer text stands its text.
pub(super) fn resolve(value: &Value, named: &Named<'_>) -> Result<Value, ScenarioFault> {
    Ok(match value {
        Value::String(text) => in_text(text, named)?,
        Value::Array(list) => {
            list.iter().map(|value| resolve(value, named)).collect::<Result<_, _>>()?
        }
        Value::Object(members) => {
            let resolved = members.iter().map(|(name, value)| {
                Ok::<_, ScenarioFault>((name.clone(), resolve(value, named)?))
            });
            Value::Object(resolved.collect::<Result<_, _>>()?)
        }
        other => other.clone(),
    })
}

fn in_text(text: &str, named: &Named<'_>) -> Result<Value, ScenarioFault> {
    let mut resolved = String::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once("{{") {
        let Some((reference, after)) = behind.split_once("}}") else { break };
        let value = find(reference.trim(), named)?;
        if before.is_empty() && after.is_empty() && resolved.is_empty() {
            return Ok(value.clone());
        }
        resolved.push_str(before);
        match value {
            Value::String(text) => resolved.push_str(text),
            other => resolved.push_str(&other.to_string()),
        }
        rest = after;
    }
    resolved.push_str(rest);
    Ok(resolved.into())
}

fn find<'a>(reference: &str, named: &Named<'a>) -> Result<&'a Value, ScenarioFault> {
    let (name, path) = reference.split_once('.').unwrap_or((reference, ""));
    let known = || named.iter().map(|(name, _)| *name).collect::<Vec<_>>();
    let Some((_, data)) = named.iter().find(|(known, _)| *known == name) else {
        let help = if named.is_empty() {
            format!("give the step that is meant `name = \"{name}\"`")
        } else {
            nearest::suggest(name, &known(), "the steps with a name are")
        };
        return Err(ScenarioFault::UnknownStep {
            reference: reference.to_owned(),
            name: name.to_owned(),
            help,
        });
    };
    let mut at = *data;
    for key in path.split('.').filter(|key| !key.is_empty()) {
        let next = match at {
            Value::Array(list) => key.parse().ok().and_then(|index: usize| list.get(index)),
            other => other.get(key),
        };
        at = next.ok_or_else(|| ScenarioFault::UnknownField {
            reference: reference.to_owned(),
            name: name.to_owned(),
            path: path.to_owned(),
            help: members(at, key),
        })?;
    }
    Ok(at)
}

/// What there is in the place of a key that there is not.
fn members(value: &Value, key: &str) -> String {
    match value {
        Value::Object(members) => {
            let names: Vec<_> = members.keys().map(String::as_str).collect();
            nearest::suggest(key, &names, "there are")
        }
        Value::Array(list) => format!("the list has {} elements: count from 0", list.len()),
        _ => "this value has nothing in it".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_reference_keeps_its_kind_and_in_a_text_becomes_text() {
        let user = json!({"id": "user_1", "n": 5, "none": null, "emails": [{"id": "idn_1"}]});
        let named = vec![("user", &user)];
        for (value, expected) in [
            (json!("{{user.id}}"), json!("user_1")),
            (json!("{{ user.n }}"), json!(5)),
            (json!("{{user.none}}"), json!(null)),
            (json!("{{user.emails.0.id}}"), json!("idn_1")),
            (json!("{{user}}"), user.clone()),
            (json!("a {{user.id}}/{{user.n}}."), json!("a user_1/5.")),
            (json!(["{{user.id}}", 1]), json!(["user_1", 1])),
            (json!({"a": {"b": "{{user.id}}"}}), json!({"a": {"b": "user_1"}})),
            (json!("{{open"), json!("{{open")),
        ] {
            assert_eq!(resolve(&value, &named).unwrap(), expected, "{value}");
        }
    }

    #[test]
    fn what_is_not_there_is_named_with_what_is() {
        let user = json!({"first_name": "Ada", "emails": []});
        let named = vec![("user", &user)];
        let help = |text: &str| {
            let fault = resolve(&json!(text), &named).unwrap_err();
            let help = miette::Diagnostic::help(&fault).unwrap().to_string();
            format!("{fault}: {help}")
        };
        assert_eq!(
            help("{{usr.id}}"),
            "`{{usr.id}}`: no step has the name `usr`: did you mean `user`? the steps with a name are user"
        );
        assert!(help("{{user.frist_name}}").contains("did you mean `first_name`?"));
        assert!(help("{{user.emails.0}}").contains("the list has 0 elements"));
    }
}
