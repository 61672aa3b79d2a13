//! Events for the fold, and its rows in a form that can be read and compared.

use std::collections::BTreeMap;
use std::sync::Arc;

use deskbell_store::StoredEvent;
use deskbell_sync::entity::{self, Column};
use deskbell_sync::{Batch, Fold, Mappings, Row, Value};
use serde_json::json;

/// An event of type `event_type`, at time `at` and with `data`.
pub(crate) fn event(
    message_id: &str,
    event_type: &str,
    at: i64,
    data: &serde_json::Value,
) -> StoredEvent {
    let body = json!({ "type": event_type, "object": "event", "data": data });
    stored(message_id, event_type, at, body.to_string())
}

/// An event with this body.
pub(crate) fn stored(message_id: &str, event_type: &str, at: i64, body: String) -> StoredEvent {
    testkit::event(message_id, event_type).at(at).body(body).stored(1)
}

/// Mappings of these entities, less every `private_metadata`.
pub(crate) fn mappings(entities: &[&str]) -> Arc<Mappings> {
    let entities: Vec<_> = entities.iter().map(|name| (*name).to_owned()).collect();
    Arc::new(Mappings::new(&entities, &[], &[]).unwrap())
}

/// Mappings of every entity, less every `private_metadata`.
pub(crate) fn everything() -> Arc<Mappings> {
    mappings(&entity::ALL.iter().map(|entity| entity.name).collect::<Vec<_>>())
}

/// What the events come down to where these mappings hold.
pub(crate) fn fold_to(mappings: Arc<Mappings>, events: &[StoredEvent]) -> Batch {
    Fold::new(mappings, BTreeMap::new()).fold(events)
}

/// What the events come down to where everything is mirrored.
pub(crate) fn fold(events: &[StoredEvent]) -> Batch {
    fold_to(everything(), events)
}

/// The row of this entity with this id.
pub(crate) fn row<'a>(batch: &'a Batch, entity: &str, id: &str) -> &'a Row {
    let rows = batch.tables.iter().filter(|table| table.entity.name == entity);
    let mut rows = rows.flat_map(|table| &table.rows).filter(|row| row.id == id);
    rows.next().unwrap_or_else(|| panic!("no {entity} {id}"))
}

/// A column's value of a row of this entity, where nothing but `private_metadata` is excluded.
pub(crate) fn value(row: &Row, entity: &str, column: &str) -> String {
    let columns = &everything();
    let columns = &columns.of(entity::find(entity).unwrap()).unwrap().columns;
    let at = columns.iter().position(|declared| declared.name == column).expect(column);
    written(&row.values[at])
}

/// A value as a snapshot shows it.
pub(crate) fn written(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Text(text) => format!("{text:?}"),
        Value::Integer(integer) => integer.to_string(),
        Value::Boolean(boolean) => boolean.to_string(),
        Value::Time(time) => time.to_string(),
        Value::Json(json) => format!("json {json}"),
    }
}

/// All that is stored of a batch, as one text.
pub(crate) fn all_texts(batch: &Batch) -> String {
    let mut texts = String::new();
    for row in batch.tables.iter().flat_map(|table| &table.rows) {
        let children = row.children.iter().flatten();
        let values = row.values.iter().chain(children.clone().flat_map(|child| &child.values));
        values.for_each(|value| texts.push_str(&written(value)));
        texts.push_str(&row.raw);
        children.for_each(|child| texts.push_str(&child.raw));
    }
    texts
}

/// The rows of a batch, as people review them.
pub(crate) fn printed(batch: &Batch, mappings: &Mappings) -> String {
    let mut lines = Vec::new();
    for table in &batch.tables {
        let columns = &mappings.of(table.entity).unwrap().columns;
        for row in &table.rows {
            lines.push(table.entity.table.to_owned());
            print(&mut lines, "  ", columns, &row.values, &row.raw);
            for (children, rows) in table.entity.children.iter().zip(&row.children) {
                for child in rows {
                    lines.push(format!("  {} of {}", children.table, row.id));
                    let columns: Vec<_> = children.columns.iter().collect();
                    print(&mut lines, "    ", &columns, &child.values, &child.raw);
                }
            }
        }
    }
    lines.join("\n")
}

fn print(lines: &mut Vec<String>, indent: &str, columns: &[&Column], values: &[Value], raw: &str) {
    for (column, value) in columns.iter().zip(values) {
        lines.push(format!("{indent}{} = {}", column.name, written(value)));
    }
    let raw: serde_json::Map<String, serde_json::Value> = serde_json::from_str(raw).unwrap();
    let members: Vec<_> = raw.keys().map(String::as_str).collect();
    lines.push(format!("{indent}raw has {}", members.join(", ")));
}
