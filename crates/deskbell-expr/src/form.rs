//! `Form`: what a path may lead to, as the payload structs and the catalog's samples have it.

use std::sync::LazyLock;

use clerk_webhooks::catalog::{self, Shape};
use serde_json::Value as Json;

use crate::computed;
use crate::json;
use crate::path::{Path, Step};
use crate::roots;
use crate::value::Kind;

/// What one field of an event may hold.
#[derive(Clone, Default)]
pub(crate) struct Form {
    shapes: Vec<Shape>,
    values: Vec<&'static Json>,
}

/// A sample of the catalog, its `data` with the computed members of its entity.
struct Sample {
    event_type: &'static str,
    entity: &'static str,
    data: Json,
    entity_data: Json,
    attributes: Json,
}

static SAMPLES: LazyLock<Vec<Sample>> = LazyLock::new(|| {
    let sample = |entry: &'static catalog::CatalogEntry| {
        let mut event = json::tree(entry.sample);
        let entity = entry.entity?;
        let data = event["data"].take();
        let entity_data = computed::merged(entity, &data);
        let attributes = event["event_attributes"].take();
        Some(Sample {
            event_type: entry.event_type.as_str(),
            entity,
            data,
            entity_data,
            attributes,
        })
    };
    catalog::all().iter().filter_map(sample).collect()
});

/// The form of each entity's root.
static ENTITY_FORMS: LazyLock<Vec<(&'static str, Form)>> = LazyLock::new(|| {
    let form = |root: &&'static str| {
        let of_root = |sample: &&Sample| roots::of_entity(sample.entity) == *root;
        let samples: Vec<_> = SAMPLES.iter().filter(of_root).collect();
        let values = samples.iter().map(|sample| &sample.entity_data).collect();
        (*root, Form { shapes: shapes(samples), values })
    };
    roots::ENTITIES.iter().map(form).collect()
});

impl Form {
    /// What an entity's root holds; `None` for another root.
    pub(crate) fn of_entity_root(root: &str) -> Option<&'static Self> {
        ENTITY_FORMS.iter().find(|(entity_root, _)| *entity_root == root).map(|(_, form)| form)
    }

    /// What `data` holds in events of these types; anything where one of them is not in the catalog,
    /// or none is given.
    pub(crate) fn of_data<S: AsRef<str>>(event_types: &[S]) -> Self {
        let is_named = |sample: &&Sample| {
            event_types.iter().any(|event_type| event_type.as_ref() == sample.event_type)
        };
        let samples: Vec<_> = SAMPLES.iter().filter(is_named).collect();
        if samples.is_empty() || samples.len() < event_types.len() {
            return Self::default();
        }
        let values = samples.iter().map(|sample| &sample.data).collect();
        Self { shapes: shapes(samples), values }
    }

    /// What `event_attributes` holds.
    pub(crate) fn of_attributes() -> Self {
        let values = SAMPLES.iter().map(|sample| &sample.attributes).collect();
        Self { shapes: vec![catalog::attributes_shape()], values }
    }

    /// What a path leads to in events of these types; `None` where nothing is known there, or where they
    /// are about other entities than the path is.
    pub(crate) fn of_path<S: AsRef<str>>(path: &Path, event_types: &[S]) -> Option<Self> {
        let is_of_root = |sample: &Sample| {
            roots::of_entity(sample.entity) == path.root
                && event_types.iter().any(|event_type| event_type.as_ref() == sample.event_type)
        };
        let root = match path.root {
            "data" => Self::of_data(event_types),
            "event_attributes" => Self::of_attributes(),
            root if SAMPLES.iter().any(is_of_root) => Self::of_entity_root(root)?.clone(),
            _ => return None,
        };
        path.steps.iter().try_fold(root, |form, step| form.step(step))
    }

    /// What a step leads to from here; `None` where nothing is known there.
    pub(crate) fn step(&self, step: &Step) -> Option<Self> {
        if self.is_open() {
            return Some(Self::default());
        }
        let behind = match step {
            Step::Member(name) => self.member(name),
            Step::Element(_) => self.element(),
        };
        (!behind.shapes.is_empty() || !behind.values.is_empty()).then_some(behind)
    }

    /// The names of the members that are known here.
    pub(crate) fn names(&self) -> Vec<&'static str> {
        let declared = self.shapes.iter().filter_map(members).flatten().map(|(name, _)| name);
        let seen = self.values.iter().filter_map(|value| value.as_object());
        let seen = seen.flat_map(|members| members.keys().map(String::as_str));
        declared.chain(seen).collect()
    }

    /// The kind of the value, where it is of one kind whatever the event.
    pub(crate) fn kind(&self) -> Option<Kind> {
        match self.shapes.as_slice() {
            [Shape::Text] => Some(Kind::Text),
            [Shape::Integer | Shape::Time] => Some(Kind::Int),
            [Shape::Boolean] => Some(Kind::Bool),
            [Shape::Object(_) | Shape::List(_)] => Some(Kind::Json),
            _ => None,
        }
    }

    /// What people call a value of this form; `None` where that is not known, or differs.
    pub(crate) fn holds(&self) -> Option<&'static str> {
        let mut kinds: Vec<_> = self.shapes.iter().map(shape_name).collect();
        if kinds.is_empty() {
            let known = self.values.iter().filter(|value| !value.is_null());
            kinds = known.map(|value| json_name(value)).collect();
        }
        kinds.dedup();
        match kinds.as_slice() {
            [one] => Some(one),
            _ => None,
        }
    }

    /// Whether anything may stand below: the application's own, or what is only known to be null.
    fn is_open(&self) -> bool {
        let tells_nothing = |value: &&Json| match value {
            Json::Null => true,
            Json::Object(members) => members.is_empty(),
            Json::Array(elements) => elements.is_empty(),
            _ => false,
        };
        self.shapes.iter().any(|shape| matches!(shape, Shape::Open))
            || self.shapes.is_empty() && self.values.iter().all(tells_nothing)
    }

    fn member(&self, name: &str) -> Self {
        let declared = self.shapes.iter().filter_map(members).flatten();
        let declared = declared.filter(|(declared, _)| *declared == name);
        Self {
            shapes: declared.map(|(_, shape)| shape).collect(),
            values: self.values.iter().filter_map(|value| value.as_object()?.get(name)).collect(),
        }
    }

    fn element(&self) -> Self {
        let of_list = |shape: &Shape| match shape {
            Shape::List(element) => Some((**element).clone()),
            _ => None,
        };
        let lists = self.values.iter().filter_map(|value| value.as_array());
        Self {
            shapes: self.shapes.iter().filter_map(of_list).collect(),
            values: lists.flatten().collect(),
        }
    }
}

fn shapes(samples: Vec<&Sample>) -> Vec<Shape> {
    let mut entities: Vec<_> = samples.into_iter().map(|sample| sample.entity).collect();
    entities.dedup();
    entities.into_iter().filter_map(catalog::shape).collect()
}

fn shape_name(shape: &Shape) -> &'static str {
    match shape {
        Shape::Text => "text",
        Shape::Integer | Shape::Number => "number",
        Shape::Time => "time",
        Shape::Boolean => "boolean",
        Shape::Object(_) => "object",
        Shape::List(_) => "list",
        _ => "anything",
    }
}

fn json_name(value: &Json) -> &'static str {
    match value {
        Json::Null => "null",
        Json::Bool(_) => "boolean",
        Json::Number(_) => "number",
        Json::String(_) => "text",
        Json::Array(_) => "list",
        Json::Object(_) => "object",
    }
}

fn members(shape: &Shape) -> Option<Vec<(&'static str, Shape)>> {
    match shape {
        Shape::Object(members) => Some(members()),
        _ => None,
    }
}
