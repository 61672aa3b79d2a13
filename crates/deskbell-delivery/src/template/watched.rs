//! A sample event that notes the fields a template asks for and no such event has.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use deskbell_expr::{EventView, TypedPlace, UnknownPath};
use minijinja::Value;
use minijinja::value::{Enumerator, Object};
use serde_json::Value as Json;

use super::values;

/// The unknown fields that were asked for.
#[derive(Debug, Clone, Default)]
pub(super) struct Unknown(Arc<Mutex<Vec<UnknownPath>>>);

impl Unknown {
    /// The first one.
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
        let place = TypedPlace::of_root(name);
        Some((
            *name,
            place.map_or_else(|| values::value(&json), |place| watch(&json, &place, unknown)),
        ))
    };
    roots.iter().filter_map(root).collect()
}

fn watch(json: &Json, place: &TypedPlace, unknown: &Unknown) -> Value {
    match json {
        Json::Object(members) => {
            let watched = members.iter().map(|(name, member)| {
                let value = match place.member(name) {
                    Ok(place) => watch(member, &place, unknown),
                    Err(_) => values::value(member),
                };
                (name.clone(), value)
            });
            let (members, place) = (watched.collect(), place.clone());
            Value::from_object(Watched { members, place, unknown: unknown.clone() })
        }
        Json::Array(elements) => match place.element() {
            Ok(place) => elements.iter().map(|element| watch(element, &place, unknown)).collect(),
            Err(_) => values::value(json),
        },
        other => values::value(other),
    }
}

#[derive(Debug)]
struct Watched {
    members: BTreeMap<String, Value>,
    place: TypedPlace,
    unknown: Unknown,
}

impl Object for Watched {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let name = key.as_str()?;
        let found = self.members.get(name);
        if found.is_none()
            && let Err(unknown) = self.place.member(name)
        {
            self.unknown.note(unknown);
        }
        found.cloned()
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.members.keys().map(|name| Value::from(name.as_str())).collect())
    }
}
