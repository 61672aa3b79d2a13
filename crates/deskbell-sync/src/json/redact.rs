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
