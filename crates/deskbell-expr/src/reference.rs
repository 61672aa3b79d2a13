//! What expressions can name, for the reference page.

use crate::form::Form;
use crate::path::Step;
use crate::roots;

/// Members within one another that are listed.
const DEPTH_MAX: usize = 2;

/// A field that an expression can name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its path behind the root, such as `email_addresses[0].email_address`.
    pub path: String,
    /// What it holds, as people call it; `None` where that is not known.
    pub holds: Option<&'static str>,
}

/// The roots of entities, each with its fields by name.
#[must_use]
pub fn entities() -> Vec<(&'static str, Vec<Field>)> {
    let fields = |root: &&'static str| {
        let mut fields = Vec::new();
        if let Some(form) = Form::of_entity_root(root) {
            add_members(form, "", DEPTH_MAX, &mut fields);
        }
        (*root, fields)
    };
    roots::ENTITIES.iter().map(fields).collect()
}

/// The functions that are called as `f(x)`, those that are called as `x.f()`, and those that take an
/// expression for each element.
#[must_use]
pub fn functions() -> [&'static [&'static str]; 3] {
    [roots::FUNCTIONS, roots::METHODS, roots::MACROS]
}

fn add_members(form: &Form, path: &str, depth: usize, fields: &mut Vec<Field>) {
    let mut names = form.names();
    names.sort_unstable();
    names.dedup();
    for name in names {
        let Some(member) = form.step(&Step::Member(name.to_owned())) else { continue };
        let path = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        fields.push(Field { path: path.clone(), holds: member.holds() });
        if depth == 1 {
            continue;
        }
        match member.step(&Step::Element(0)) {
            Some(element) if member.holds() == Some("list") => {
                add_members(&element, &format!("{path}[0]"), depth - 1, fields);
            }
            _ => add_members(&member, &path, depth - 1, fields),
        }
    }
}
