//! What is kept of an entity's JSON: everything but excluded columns and secrets; of some entities
//! only what columns are filled from.

use std::borrow::Cow;
use std::fmt;

use deskbell_expr::json::{clean, end_of_string, end_of_value, is_space, skip_while, unescape};

use crate::entity::{Column, Entity, Raw, Source};
use crate::json::Json;

/// Members that are secrets wherever Clerk puts them: the codes themselves, not whether there are
/// any; tokens; and what a verification that goes on is answered with.
const SECRETS: &[&str] =
    &["backup_codes", "last_active_token", "nonce", "external_verification_redirect_url"];
/// Excluded with its entity, and in everything that the entity holds.
const PRIVATE_METADATA: &str = "private_metadata";
/// The application's own JSON, whose names mean nothing to us: kept whole.
const OPAQUE: &[&str] = &["public_metadata", "unsafe_metadata", PRIVATE_METADATA];

/// What one destination leaves out of each kind of entity, also where one is nested in another.
#[derive(Debug, Default)]
pub(crate) struct Redaction(Vec<Rule>);

struct Rule {
    entity: &'static Entity,
    left_out: Vec<&'static str>,
    /// The only members that stay, and they only where they hold no other values.
    only: Option<Vec<&'static str>>,
}

/// Where the walk is: directly in an entity's object, or in something that the entity holds.
#[derive(Clone, Copy)]
struct Scope<'r> {
    rule: Option<&'r Rule>,
    direct: bool,
}

impl Redaction {
    /// Members of this entity's object that are left out. An entity that has no column for
    /// `private_metadata` has none to keep it by.
    pub(crate) fn leave_out(&mut self, entity: &'static Entity, mut left_out: Vec<&'static str>) {
        if entity.column(PRIVATE_METADATA).is_none() {
            left_out.push(PRIVATE_METADATA);
        }
        let only = match entity.raw {
            Raw::Whole => None,
            Raw::Columns => Some(entity.columns.iter().flat_map(Column::members).collect()),
        };
        self.0.push(Rule { entity, left_out, only });
    }

    /// Whether this member of this entity's object is left out.
    pub(crate) fn leaves_out(&self, entity: &Entity, member: &str) -> bool {
        self.of(entity).leaves_out(member)
    }

    /// Whether this column is filled from within something that the entity holds, and what it is
    /// filled from is left out there.
    pub(crate) fn hides(&self, entity: &Entity, column: &Column) -> bool {
        let Source::Paths(paths) = column.source else { return false };
        let hidden = |path: &[&str]| {
            let Some((first, rest)) = path.split_first() else { return false };
            self.hides_path(rest, self.nested(first, self.of(entity)))
        };
        paths.iter().any(|path| hidden(path))
    }

    /// Whether what this column of the elements of the entity's member `list` is filled from is left
    /// out of them.
    pub(crate) fn hides_in_element(&self, entity: &Entity, list: &str, column: &Column) -> bool {
        let scope = self.nested(list, self.of(entity));
        match column.source {
            Source::Paths(paths) => paths.iter().any(|path| self.hides_path(path, scope)),
            Source::Member | Source::Primary { .. } => self.hides_path(&[column.name], scope),
        }
    }

    fn hides_path<'r>(&'r self, path: &[&str], mut scope: Scope<'r>) -> bool {
        path.iter().any(|key| {
            let hidden = scope.leaves_out(key);
            scope = self.nested(key, scope);
            hidden
        })
    }

    fn of(&self, entity: &Entity) -> Scope<'_> {
        let rule = self.0.iter().find(|rule| rule.entity.name == entity.name);
        Scope { rule, direct: true }
    }

    /// The scope of a container under this name, within `scope`.
    fn nested<'r>(&'r self, key: &str, scope: Scope<'r>) -> Scope<'r> {
        match self.0.iter().find(|rule| rule.entity.nested_as.contains(&key)) {
            Some(rule) => Scope { rule: Some(rule), direct: true },
            None => Scope { rule: scope.rule, direct: false },
        }
    }
}

impl<'r> Scope<'r> {
    fn leaves_out(self, key: &str) -> bool {
        let excluded = || self.rule.is_some_and(|rule| rule.left_out.contains(&key));
        SECRETS.contains(&key)
            || (self.direct || key == PRIVATE_METADATA) && excluded()
            || self.only().is_some_and(|only| !only.contains(&key))
    }

    fn only(self) -> Option<&'r [&'static str]> {
        self.rule?.only.as_deref()
    }
}

impl fmt::Debug for Rule {
    /// What a row's revision depends on, and no more: not the entity's every column.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { entity, left_out, only } = self;
        f.debug_tuple("Rule")
            .field(&entity.name)
            .field(&entity.nested_as)
            .field(left_out)
            .field(only)
            .finish()
    }
}

/// The entity's JSON less what is left out, fit for any database; otherwise as it was written.
pub(crate) fn redact(data: Json<'_>, entity: &Entity, redaction: &Redaction) -> String {
    redact_in(data, redaction.of(entity), redaction)
}

/// The same of an element of the entity's member `list`.
pub(crate) fn redact_element(
    element: Json<'_>,
    list: &str,
    entity: &Entity,
    redaction: &Redaction,
) -> String {
    redact_in(element, redaction.nested(list, redaction.of(entity)), redaction)
}

fn redact_in<'r>(json: Json<'_>, scope: Scope<'r>, redaction: &'r Redaction) -> String {
    let mut walk =
        Walk { text: json.as_written(), at: 0, kept: 0, out: String::new(), open: Vec::new() };
    walk.out.reserve(json.as_written().len());
    walk.run(redaction, scope);
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
    /// The comma before the current member.
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
        let opens = matches!(bytes.get(self.at), Some(b'{' | b'['));
        let holds_others = opens && container.scope.only().is_some();
        if container.scope.leaves_out(&key) || holds_others {
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

    /// Steps into the current container; false where the current value is none.
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

    /// Leaves out the member whose name starts at `start` and whose value is the current one, with
    /// one of the commas beside it.
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
    use serde_json::value::RawValue;
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

    fn parsed(text: &str) -> Json<'_> {
        serde_json::from_str::<&RawValue>(text).unwrap().into()
    }

    fn redacted(text: &str, entity: &str) -> String {
        redact(parsed(text), entity::find(entity).unwrap(), &rules())
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
    fn of_a_message_only_what_columns_are_filled_from_is_kept() {
        let text = r#"{"id":"ema_1","body":"123","subject":"123","data":{"otp_code":"123"},"slug":"code","a_field_of_2031":"123","status":{"slug":"123"},"user_id":["123"],"to_email_address":"a@example.com","created_at":5}"#;
        let kept =
            r#"{"id":"ema_1","slug":"code","to_email_address":"a@example.com","created_at":5}"#;
        assert_eq!(redacted(text, "email"), kept);
        let text = r#"{"message":"123","created_at_ms":5,"delivered_by_clerk":null}"#;
        assert_eq!(redacted(text, "sms"), r#"{"created_at_ms":5,"delivered_by_clerk":null}"#);
    }

    #[test]
    fn tokens_and_answers_to_verifications_go() {
        let text = r#"{"last_active_token":{"jwt":"x"},"user":{"email_addresses":[{"verification":{"nonce":"x","external_verification_redirect_url":"x","status":"verified"}}]}}"#;
        let kept = r#"{"user":{"email_addresses":[{"verification":{"status":"verified"}}]}}"#;
        assert_eq!(redacted(text, "session"), kept);
    }

    #[test]
    fn private_metadata_stays_only_where_a_column_could_have_it() {
        let mut redaction = Redaction::default();
        for entity in entity::ALL {
            redaction.leave_out(entity, Vec::new());
        }
        let text =
            r#"{"private_metadata":1,"x":{"private_metadata":2},"user":{"private_metadata":3}}"#;
        for (entity, kept) in [
            ("user", text),
            ("session", r#"{"x":{},"user":{"private_metadata":3}}"#),
            ("invitation", r#"{"x":{},"user":{"private_metadata":3}}"#),
        ] {
            let found = redact(parsed(text), entity::find(entity).unwrap(), &redaction);
            assert_eq!(found, kept, "{entity}");
        }
    }

    #[test]
    fn an_element_is_what_its_list_is_in_the_entity() {
        let user = entity::find("user").unwrap();
        let text = r#"{"backup_codes":[1],"locale":"x","private_metadata":1,"id":2}"#;
        let found = redact_element(parsed(text), "phone_numbers", user, &rules());
        assert_eq!(found, r#"{"locale":"x","id":2}"#);
        assert!(rules().leaves_out(user, "locale") && !rules().leaves_out(user, "id"));
    }

    #[test]
    fn depth_is_no_trouble() {
        let nested = |pairs: usize, inside: &str| {
            format!("{}{inside}{}", "{\"a\":[".repeat(pairs), "]}".repeat(pairs))
        };
        let secret = "{\"backup_codes\":1}";
        assert!(redacted(&nested(499, secret), "user") == nested(499, "{}"));
        assert!(redacted(&nested(50_000, secret), "user") == nested(500, "null"));
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
