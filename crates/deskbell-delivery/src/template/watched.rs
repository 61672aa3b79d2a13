//! A sample event that notes the fields a template asks for and no such event has.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use deskbell_expr::{EventView, TypedField, UnknownPath};
use minijinja::Value;
use minijinja::value::{Enumerator, Object};
use serde_json::Value as Json;

use super::values;

/// The unknown fields that were asked for.
#[derive(Debug, Clone, Default)]
pub(super) struct Unknown(Arc<Mutex<Vec<UnknownPath>>>);

impl Unknown {
    pub(super) fn first(&self) -> Option<UnknownPath> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).first().cloned()
    }

    fn note(&self, unknown: UnknownPath) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(unknown);
    }
}

/// The event's roots, of those that are wanted, those of entities watched.
pub(super) fn context(view: &EventView<'_>, roots: &[&'static str], unknown: &Unknown) -> Value {
    let root = |name: &&'static str| {
        let json = view.root(name)?;
        let field = TypedField::of_root(name);
        Some((
            *name,
            field.map_or_else(|| values::value(&json), |field| watch(&json, &field, unknown)),
        ))
    };
    roots.iter().filter_map(root).collect()
}

fn watch(json: &Json, field: &TypedField, unknown: &Unknown) -> Value {
    match json {
        Json::Object(members) => {
            let watched = members.iter().map(|(name, member)| {
                let value = match field.member(name) {
                    Ok(field) => watch(member, &field, unknown),
                    Err(_) => values::value(member),
                };
                (name.clone(), value)
            });
            let (members, field) = (watched.collect(), field.clone());
            Value::from_object(Watched { members, field, unknown: unknown.clone() })
        }
        Json::Array(elements) => match field.element() {
            Ok(field) => elements.iter().map(|element| watch(element, &field, unknown)).collect(),
            Err(_) => values::value(json),
        },
        other => values::value(other),
    }
}

#[derive(Debug)]
struct Watched {
    members: BTreeMap<String, Value>,
    field: TypedField,
    unknown: Unknown,
}

impl Object for Watched {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let name = key.as_str()?;
        let found = self.members.get(name);
        if found.is_none()
            && let Err(unknown) = self.field.member(name)
        {
            self.unknown.note(unknown);
        }
        found.cloned()
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.members.keys().map(|name| Value::from(name.as_str())).collect())
    }
}
