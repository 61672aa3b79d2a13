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
    let values = mapping.columns.iter().map(|column| column.read(|name| object.member(name)));
    let absent = if object.is_fetched() { absent(mapping, object) } else { Vec::new() };
    Row {
        id,
        version,
        values: values.collect(),
        absent,
        caused_by: None,
        raw: mappings.redacted(mapping.entity, object.json),
        children: children(mappings, mapping, |name| object.member(name)),
        event: EventRef {
            source: Arc::clone(&object.event.source),
            event_type: object.event.event_type.as_str().into(),
        },
    }
}

/// The positions of the columns of which the object has no member.
fn absent(mapping: &Mapping, object: &Object<'_>) -> Vec<usize> {
    let is_absent =
        |column: &Column| column.members().into_iter().all(|name| object.member(name).is_none());
    let columns = mapping.columns.iter().enumerate();
    columns.filter(|(_, column)| is_absent(column)).map(|(position, _)| position).collect()
}

/// A row of the mirror made again from its own JSON. `stored` has its columns as they are: what the
/// JSON does not hold stays, as it came from what held the entity, or is left out of the JSON.
pub(crate) fn row_again(
    mappings: &Mappings,
    mapping: &Mapping,
    version: Version,
    json: Json<'_>,
    stored: Vec<Value>,
) -> Option<Row> {
    let members = Members::of(json);
    let values = mapping.columns.iter().zip(stored).map(|(column, stored)| {
        let there = column.members().into_iter().any(|name| members.get(name).is_some());
        if there { column.read(|name| members.get(name)) } else { stored }
    });
    let values: Vec<_> = values.collect();
    let Some(Value::Text(id)) = values.first() else { return None };
    Some(Row {
        id: id.clone(),
        version,
        absent: Vec::new(),
        caused_by: None,
        raw: mappings.redacted(mapping.entity, json),
        children: children(mappings, mapping, |name| members.get(name)),
        event: EventRef { source: "".into(), event_type: "".into() },
        values,
    })
}

/// The rows of each of the entity's child tables.
fn children<'a>(
    mappings: &Mappings,
    mapping: &Mapping,
    member: impl Fn(&str) -> Option<Json<'a>>,
) -> Vec<Vec<ChildRow>> {
    let lists = mapping.entity.children.iter().zip(&mapping.hidden);
    let rows = lists.map(|(list, hidden)| {
        child_rows(mappings, mapping.entity, (list, hidden), member(list.list))
    });
    rows.collect()
}

/// The rows of one child table, in order of their ids.
fn child_rows<'a>(
    mappings: &Mappings,
    entity: &Entity,
    (children, hidden): (&Children, &[&str]),
    list: Option<Json<'a>>,
) -> Vec<ChildRow> {
    if !mappings.has(entity, children) {
        return Vec::new();
    }
    let elements = list.into_iter().flat_map(Json::elements);
    let rows = elements.filter_map(|element| {
        let mut row = child_row(mappings, entity, children, element)?;
        for (column, value) in children.columns.iter().zip(&mut row.values) {
            if hidden.contains(&column.name) {
                *value = Value::Null;
            }
        }
        Some(row)
    });
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
