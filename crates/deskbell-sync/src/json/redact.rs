//! What is kept of an entity's JSON: everything but excluded columns and secrets.

use std::borrow::Cow;

use super::text::{clean, unescape};
use super::{Json, end_of_string, end_of_value, is_space, skip_while};
use crate::entity::Entity;

/// Members that are secrets wherever Clerk puts them: the codes themselves, not whether there are
/// any.
const SECRETS: &[&str] = &["backup_codes"];
/// Excluded with its entity, and in everything that the entity holds.
const PRIVATE_METADATA: &str = "private_metadata";
/// The application's own JSON, whose names mean nothing to us: kept whole.
const OPAQUE: &[&str] = &["public_metadata", "unsafe_metadata", PRIVATE_METADATA];

/// What one destination leaves out of each kind of entity, also where one is nested in another.
#[derive(Debug, Default)]
pub(crate) struct Redaction(Vec<Rule>);

#[derive(Debug)]
struct Rule {
    entity: &'static Entity,
    left_out: Vec<&'static str>,
}

/// Where the walk is: directly in an entity's object, or in something that the entity holds.
#[derive(Clone, Copy)]
struct Scope<'r> {
    rule: Option<&'r Rule>,
    direct: bool,
}

impl Redaction {
    /// Members of this entity's object that are left out.
    pub(crate) fn leave_out(&mut self, entity: &'static Entity, left_out: Vec<&'static str>) {
        self.0.push(Rule { entity, left_out });
    }

    fn of(&self, entity: &Entity) -> Scope<'_> {
        let rule = self.0.iter().find(|rule| rule.entity.name == entity.name);
        Scope { rule, direct: true }
    }

    /// What a container under this name is, for one that stands in `scope`.
    fn nested<'r>(&'r self, key: &str, scope: Scope<'r>) -> Scope<'r> {
        match self.0.iter().find(|rule| rule.entity.nested_as.contains(&key)) {
            Some(rule) => Scope { rule: Some(rule), direct: true },
            None => Scope { rule: scope.rule, direct: false },
        }
    }
}

impl Scope<'_> {
    fn leaves_out(self, key: &str) -> bool {
        let excluded = || self.rule.is_some_and(|rule| rule.left_out.contains(&key));
        SECRETS.contains(&key) || (self.direct || key == PRIVATE_METADATA) && excluded()
    }
}

/// The entity's JSON less what is left out, fit for any database; otherwise as it was written.
pub(crate) fn redact(data: Json<'_>, entity: &Entity, redaction: &Redaction) -> String {
    let mut walk = Walk { text: data.0, at: 0, kept: 0, out: String::new(), open: Vec::new() };
    walk.out.reserve(data.0.len());
    walk.run(redaction, redaction.of(entity));
    walk.out.push_str(&walk.text[walk.kept..]);
    match clean(&walk.out) {
        Cow::Borrowed(_) => walk.out,
        Cow::Owned(cleaned) => cleaned,
    }
}

struct Walk<'a, 'r> {
    text: &'a str,
    at: usize,
    /// Up to here the text has been copied or left out.
    kept: usize,
    out: String,
    open: Vec<Container<'r>>,
}

struct Container<'r> {
    scope: Scope<'r>,
    is_object: bool,
    keeps_any: bool,
    /// The comma in front of the member that the walk stands at.
    comma: usize,
}

impl<'r> Walk<'_, 'r> {
    fn run(&mut self, redaction: &'r Redaction, scope: Scope<'r>) {
        let bytes = self.text.as_bytes();
        if !self.enter(scope) {
            return;
        }
        while let Some(container) = self.open.last_mut() {
            self.at = skip_while(bytes, self.at, is_space);
            match bytes.get(self.at) {
                Some(b',') => {
                    container.comma = self.at;
                    self.at += 1;
                }
                Some(b'}' | b']') => {
                    self.at += 1;
                    self.open.pop();
                }
                Some(_) if container.is_object => self.member(redaction),
                Some(_) => {
                    container.keeps_any = true;
                    let scope = container.scope;
                    self.value(scope);
                }
                None => return,
            }
        }
    }

    fn member(&mut self, redaction: &'r Redaction) {
        let Some(container) = self.open.last_mut() else { return };
        let bytes = self.text.as_bytes();
        let start = self.at;
        let key_end = end_of_string(bytes, start);
        let key = unescape(&self.text[start + 1..key_end - 1]);
        self.at = skip_while(bytes, key_end, |byte| is_space(byte) || byte == b':');
        if container.scope.leaves_out(&key) {
            self.cut(start);
            return;
        }
        container.keeps_any = true;
        if OPAQUE.contains(&&*key) {
            self.at = end_of_value(bytes, self.at);
        } else {
            let scope = container.scope;
            self.value_under(&key, redaction, scope);
        }
    }

    fn value_under(&mut self, key: &str, redaction: &'r Redaction, scope: Scope<'r>) {
        let opens = matches!(self.text.as_bytes().get(self.at), Some(b'{' | b'['));
        let scope = if opens { redaction.nested(key, scope) } else { scope };
        self.value(scope);
    }

    fn value(&mut self, scope: Scope<'r>) {
        if !self.enter(scope) {
            self.at = end_of_value(self.text.as_bytes(), self.at);
        }
    }

    /// Steps into the container that the walk stands at; false where it stands at something else.
    fn enter(&mut self, scope: Scope<'r>) -> bool {
        let opening = self.text.as_bytes().get(self.at);
        if !matches!(opening, Some(b'{' | b'[')) {
            return false;
        }
        let is_object = opening == Some(&b'{');
        self.open.push(Container { scope, is_object, keeps_any: false, comma: self.at });
        self.at += 1;
        true
    }

    /// Leaves out the member whose name starts at `start` and at whose value the walk stands,
    /// with one of the commas beside it.
    fn cut(&mut self, start: usize) {
        let Some(container) = self.open.last() else { return };
        let bytes = self.text.as_bytes();
        let end = end_of_value(bytes, self.at);
        let next = skip_while(bytes, end, is_space);
        let (from, to) = match (container.keeps_any, bytes.get(next)) {
            (true, _) => (container.comma, end),
            (false, Some(b',')) => (start, next + 1),
            (false, _) => (start, end),
        };
        self.out.push_str(&self.text[self.kept..from]);
        self.kept = to;
        self.at = to;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::entity;

    fn rules() -> Redaction {
        let mut redaction = Redaction::default();
        for entity in entity::ALL {
            let mut left_out = vec![PRIVATE_METADATA];
            if entity.name == "user" {
                left_out.push("locale");
            }
            redaction.leave_out(entity, left_out);
        }
        redaction
    }

    fn redacted(text: &str, entity: &str) -> String {
        redact(Json(text), entity::find(entity).unwrap(), &rules())
    }

    #[test]
    fn a_member_goes_with_one_comma_wherever_it_stands() {
        for (text, kept) in [
            (r#"{"locale":1}"#, "{}"),
            (r#"{"locale":1,"a":2}"#, r#"{"a":2}"#),
            (r#"{"a":2,"locale":1}"#, r#"{"a":2}"#),
            (r#"{"a":2,"locale":{"x":[1]},"b":3}"#, r#"{"a":2,"b":3}"#),
            (r#"{"locale":1,"locale":2,"a":3,"locale":4,"locale":5}"#, r#"{"a":3}"#),
            ("{ \"locale\" : 1 ,\n \"a\" : 2 }", "{ \n \"a\" : 2 }"),
            ("{ \"a\" : 2 ,\n \"locale\" : 1 }", "{ \"a\" : 2  }"),
            (r#"{"l\u006fcale":"\"","a":[]}"#, r#"{"a":[]}"#),
            (r#"{"a":1.50,"b":-0e1}"#, r#"{"a":1.50,"b":-0e1}"#),
        ] {
            assert_eq!(redacted(text, "user"), kept, "{text}");
        }
    }

    #[test]
    fn what_is_excluded_goes_from_nested_entities_too() {
        let membership = r#"{"locale":"m","private_metadata":{},"organization":{"locale":"o","private_metadata":{}},"user":{"locale":"u","id":1},"other":{"locale":"x","private_metadata":1}}"#;
        let kept = r#"{"locale":"m","organization":{"locale":"o"},"user":{"id":1},"other":{"locale":"x"}}"#;
        assert_eq!(redacted(membership, "organization_membership"), kept);
        let user = r#"{"organization_memberships":[{"private_metadata":1,"role":"a"},{"organization":{"private_metadata":2}}]}"#;
        let kept = r#"{"organization_memberships":[{"role":"a"},{"organization":{}}]}"#;
        assert_eq!(redacted(user, "user"), kept);
    }

    #[test]
    fn codes_go_from_everywhere_but_the_applications_own_json() {
        let text = r#"{"phone_numbers":[{"backup_codes":["1"],"id":2}],"public_metadata":{"backup_codes":[3]},"x":[[{"backup_codes":null}]]}"#;
        let kept =
            r#"{"phone_numbers":[{"id":2}],"public_metadata":{"backup_codes":[3]},"x":[[{}]]}"#;
        assert_eq!(redacted(text, "organization"), kept);
    }

    #[test]
    fn depth_is_no_trouble() {
        let (open, close) = ("{\"a\":[".repeat(50_000), "]}".repeat(50_000));
        let text = format!("{open}{{\"backup_codes\":1}}{close}");
        assert_eq!(redacted(&text, "user"), format!("{open}{{}}{close}"));
    }

    /// The same, with a tree and recursion.
    fn naively(value: &Value, direct: bool) -> Value {
        match value {
            Value::Array(items) => items.iter().map(|item| naively(item, direct)).collect(),
            Value::Object(members) => members
                .iter()
                .filter(|(key, _)| match key.as_str() {
                    "backup_codes" | "private_metadata" => false,
                    "locale" => !direct,
                    _ => true,
                })
                .map(|(key, value)| match key.as_str() {
                    "public_metadata" => (key.clone(), value.clone()),
                    key => (key.to_owned(), naively(value, key == "user")),
                })
                .collect(),
            other => other.clone(),
        }
    }

    fn payload() -> impl Strategy<Value = Value> {
        const NAMES: &[&str] =
            &["a", "b", "locale", "backup_codes", "private_metadata", "public_metadata", "user"];
        let leaf = prop_oneof![Just(json!(null)), Just(json!(1)), Just(json!("}],{\"\\"))];
        let inner = leaf.prop_recursive(5, 40, 5, |inner| {
            let members = prop::collection::btree_map(prop::sample::select(NAMES), inner.clone(), 0..5);
            prop_oneof![
                1 => prop::collection::vec(inner, 0..4).prop_map(Value::from),
                3 => members.prop_map(|members| {
                    Value::Object(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
                }),
            ]
        });
        inner.prop_filter("an object", Value::is_object)
    }

    proptest! {
        #[test]
        fn agrees_with_the_naive_way(value in payload(), pretty: bool) {
            let text = if pretty { serde_json::to_string_pretty(&value).unwrap() } else { value.to_string() };
            let kept: Value = serde_json::from_str(&redacted(&text, "user")).unwrap();
            prop_assert_eq!(kept, naively(&value, true));
        }
    }
}
