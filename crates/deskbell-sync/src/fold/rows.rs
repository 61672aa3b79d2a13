//! The rows of one version of one entity: its own, and those of its child tables.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::object::{ID_BYTES_MAX, Members, Object};
use crate::batch::{ChildRow, EventRef, Row};
use crate::entity::{Children, Column, Entity};
use crate::json::Json;
use crate::mapping::{Mapping, Mappings};
use crate::value::Value;
use crate::version::Version;

pub(super) fn row(
    mappings: &Mappings,
    mapping: &Mapping,
    id: String,
    version: Version,
    object: &Object<'_>,
) -> Row {
    let entity = mapping.entity;
    let values = mapping.columns.iter().map(|column| column.read(|name| object.member(name)));
    let children = entity.children.iter();
    Row {
        id,
        version,
        values: values.collect(),
        raw: mappings.redacted(entity, object.json),
        children: children.map(|list| child_rows(mappings, entity, list, object)).collect(),
        event: EventRef {
            source: Arc::clone(&object.event.source),
            event_type: object.event.event_type.as_str().into(),
        },
    }
}

/// The rows of one child table, in order of their ids.
fn child_rows(
    mappings: &Mappings,
    entity: &Entity,
    children: &Children,
    object: &Object<'_>,
) -> Vec<ChildRow> {
    if !mappings.has(entity, children) {
        return Vec::new();
    }
    let elements = object.member(children.list).into_iter().flat_map(Json::elements);
    let rows = elements.filter_map(|element| child_row(mappings, entity, children, element));
    let rows: BTreeMap<_, _> = rows.map(|row| (row.id.clone(), row)).collect();
    rows.into_values().collect()
}

fn child_row(
    mappings: &Mappings,
    entity: &Entity,
    children: &Children,
    element: Json<'_>,
) -> Option<ChildRow> {
    let members = Members::of(element);
    let read = |column: &Column| column.read(|name| members.get(name));
    let values: Vec<_> = children.columns.iter().map(read).collect();
    let Some(Value::Text(id)) = values.first() else { return None };
    if id.len() > ID_BYTES_MAX {
        return None;
    }
    let id = id.clone();
    Some(ChildRow { id, values, raw: mappings.redacted_child(entity, children, element) })
}
