//! Expressions over events, as the fold meets them.

use std::sync::Arc;

use clerk_webhooks::UnixMillis;
use deskbell_expr::{EvaluationError, EventParts, EventView, Expression, Value};
use deskbell_store::StoredEvent;

use crate::batch::{EventRef, MappedDeletion, MappedRow};
use crate::entity::Entity;
use crate::json::without_nul;
use crate::mapping::MappedTable;
use crate::scalar::{encode, encode_columns};
use crate::version::Version;

/// A longer key is no key: databases index only so much.
const KEY_BYTES_MAX: usize = 1_000;

/// Why an event cannot be mapped.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unmapped {
    #[error(transparent)]
    Expression(#[from] EvaluationError),
    #[error("the key is longer than {KEY_BYTES_MAX} bytes")]
    KeyTooLong,
}

/// One version of an entity, or its delete, in an event.
pub(crate) struct EntityEvent<'a> {
    pub(crate) id: &'a str,
    pub(crate) data: &'a serde_json::Value,
    /// The ids of what the entity ends with, in the order of its declared parents.
    pub(crate) parents: [Option<String>; 2],
    pub(crate) event: &'a StoredEvent,
}

/// Evaluates one version of an entity.
pub(crate) fn evaluate_row(
    table: &MappedTable,
    version: &Version,
    entity_event: &EntityEvent<'_>,
) -> Result<MappedRow, Unmapped> {
    let EntityEvent { id, data, event, .. } = *entity_event;
    let view = EventView::of_data(parts(table.entity, id, event), data, &event.payload);
    let values = table.evaluate(&view)?;
    Ok(MappedRow {
        id: id.to_owned(),
        version: version.clone(),
        created_at_ms: created_at(data).unwrap_or(event.occurred_at_ms),
        parents: entity_event.parents.clone(),
        key: key(table, &view)?,
        values: encode_columns(values.iter().map(|(name, value)| (*name, value))),
        caused_by: None,
        event: EventRef {
            source: Arc::clone(&event.source),
            event_type: event.event_type.as_str().into(),
        },
    })
}

/// Evaluates a delete.
pub(crate) fn evaluate_deletion(
    table: &MappedTable,
    entity_event: &EntityEvent<'_>,
) -> Result<MappedDeletion, Unmapped> {
    let EntityEvent { id, data, event, .. } = *entity_event;
    let view = EventView::of_data(parts(table.entity, id, event), data, &event.payload);
    Ok(MappedDeletion {
        id: id.to_owned(),
        occurred_at_ms: event.occurred_at_ms,
        message_id: without_nul(&event.message_id).into_owned(),
        created_at_ms: created_at(data).unwrap_or(i64::MIN),
        key: key(table, &view)?,
    })
}

/// The event as an expression of this entity's sees it; an embedded entity has no events of its own.
fn parts<'a>(entity: &Entity, id: &'a str, event: &'a StoredEvent) -> EventParts<'a> {
    let own = entity.upserted_by.iter().chain(entity.deleted_by);
    let is_own = own.clone().any(|own| *own == event.event_type);
    let first = entity.upserted_by.first().copied().unwrap_or_default();
    EventParts {
        id: &event.message_id,
        event_type: if is_own { &event.event_type } else { first },
        source: &event.source,
        subject: Some(id),
        occurred_at_ms: event.occurred_at_ms,
        instance_id: event.instance_id.as_deref(),
    }
}

/// The key as stored in `_versions`; `None` where a part of it is null.
fn key(table: &MappedTable, view: &EventView<'_>) -> Result<Option<String>, Unmapped> {
    let parts = table.key.iter().map(|(_, value)| value.evaluate(view));
    let parts: Vec<_> = parts.collect::<Result<_, _>>()?;
    if parts.contains(&Value::Null) {
        return Ok(None);
    }
    let key = encode(&parts);
    if key.len() > KEY_BYTES_MAX { Err(Unmapped::KeyTooLong) } else { Ok(Some(key)) }
}

/// The values to set when an entity is gone. They see the delete itself: when, by which message,
/// and what it was of.
pub(crate) fn evaluate_set(
    set: &[(String, Expression)],
    entity: &Entity,
    id: &str,
    occurred_at_ms: i64,
    message_id: &str,
) -> Result<Vec<Value>, EvaluationError> {
    let data = deleted_data(id);
    let view = deleted_view(entity, id, occurred_at_ms, message_id, &data);
    set.iter().map(|(_, expression)| expression.evaluate(&view)).collect()
}

/// The paths in an expression of `on_delete = { set = … }` that no delete of the entity has: they are
/// null for every row.
#[must_use]
pub(crate) fn absent_in_delete(entity: &Entity, expression: &Expression) -> Vec<String> {
    let id = "id";
    expression.missing_paths(&deleted_view(entity, id, 0, "msg", &deleted_data(id)))
}

fn deleted_data(id: &str) -> serde_json::Value {
    serde_json::json!({ "id": id, "deleted": true })
}

fn deleted_view<'a>(
    entity: &Entity,
    id: &'a str,
    occurred_at_ms: i64,
    message_id: &'a str,
    data: &'a serde_json::Value,
) -> EventView<'a> {
    let parts = EventParts {
        id: message_id,
        event_type: entity.deleted_by.first().copied().unwrap_or_default(),
        source: "",
        subject: Some(id),
        occurred_at_ms,
        instance_id: None,
    };
    EventView::of_data(parts, data, &[])
}

fn created_at(data: &serde_json::Value) -> Option<i64> {
    UnixMillis::from_json(data.get("created_at")?).map(UnixMillis::as_millis)
}

#[cfg(test)]
mod tests {
    use clerk_webhooks::{Envelope, catalog};
    use serde_json::value::RawValue;

    use super::*;
    use crate::entity::{self, Column, Source};
    use crate::json::Json;
    use crate::scalar::as_text;
    use crate::value::{Kind, Value as Cell};

    fn root(entity: &str) -> &str {
        match entity {
            "organization_membership" => "membership",
            "organization_domain" => "domain",
            "organization_invitation" => "invitation",
            other => other,
        }
    }

    fn cell_as_text(cell: &Cell) -> Option<String> {
        Some(match cell {
            Cell::Null => return None,
            Cell::Text(text) => text.clone(),
            Cell::Integer(integer) => integer.to_string(),
            Cell::Boolean(boolean) => boolean.to_string(),
            Cell::Time(time) => time.as_millis().to_string(),
            Cell::Json(text) => {
                serde_json::from_str::<serde_json::Value>(text).unwrap().to_string()
            }
        })
    }

    #[test]
    fn expressions_have_every_column_of_the_mirror_under_its_name() {
        for entry in catalog::all() {
            let event_type = entry.event_type.as_str();
            let Some((entity, _)) = entity::change(event_type) else { continue };
            let body = entry.sample.as_bytes();
            let data = Json::from(Envelope::parse(body).unwrap().data.unwrap());
            let view = EventView::of_body(parts_of(event_type), body);
            for column in entity.columns.iter().filter(|column| !column.name.ends_with("_decimal"))
            {
                let cell = column.read(|name| data.member(name));
                let text = format!("{}.{}", root(entity.name), column.name);
                let value = Expression::compile(&text).unwrap().evaluate(&view).unwrap();
                // An amount is an object in the payload, and its number in the column.
                if matches!(value, Value::Json(_)) && !matches!(cell, Cell::Json(_)) {
                    continue;
                }
                let found = as_text(&value).filter(|text| !text.is_empty());
                assert_eq!(
                    found.as_deref(),
                    cell_as_text(&cell).as_deref(),
                    "{text} of {event_type}"
                );
            }
        }
    }

    /// `data` with a value of the column's kind at the end of each of these paths.
    fn data_with(column: &Column, paths: &[&[&str]]) -> serde_json::Value {
        let mut data = serde_json::json!({});
        for (number, path) in (1..).zip(paths) {
            let (last, above) = path.split_last().unwrap();
            let holder = above.iter().fold(&mut data, |json, name| &mut json[*name]);
            holder[*last] = match column.kind {
                Kind::Boolean => true.into(),
                Kind::Time => (1_700_000_000_000_i64 + number).into(),
                Kind::Integer | Kind::Decimal => number.into(),
                Kind::Id | Kind::Text | Kind::Json => format!("text {number}").into(),
            };
        }
        data
    }

    #[test]
    fn expressions_look_where_the_mirror_looks_and_in_the_same_order() {
        let mut compared = 0;
        let columns = entity::ALL
            .iter()
            .flat_map(|entity| entity.columns.iter().map(move |column| (*entity, column)));
        for (entity, column) in columns.filter(|(_, column)| column.kind != Kind::Decimal) {
            let Source::Paths(paths) = column.source else { continue };
            for from in 0..paths.len() {
                let within = |path: &&[&str]| paths[from].starts_with(path);
                let alone = paths[from + 1..].iter().any(within);
                let data =
                    data_with(column, &paths[from..if alone { from + 1 } else { paths.len() }]);
                let text = data.to_string();
                let raw: &RawValue = serde_json::from_str(&text).unwrap();
                let cell = column.read(|name| Json::from(raw).member(name));
                let name = format!("{}.{}", root(entity.name), column.name);
                let view = EventView::of_data(parts_of(entity.upserted_by[0]), &data, &[]);
                let value = Expression::compile(&name).unwrap().evaluate(&view).unwrap();
                // An amount is an object in the payload, and its number in the column.
                if !matches!(value, Value::Json(_)) {
                    let found = as_text(&value);
                    assert_eq!(
                        found.as_deref(),
                        cell_as_text(&cell).as_deref(),
                        "{name} of {data}"
                    );
                    compared += 1;
                }
            }
        }
        assert!(compared > 80, "{compared}");
    }

    fn parts_of(event_type: &str) -> EventParts<'_> {
        EventParts {
            id: "msg_1",
            event_type,
            source: "clerk",
            subject: None,
            occurred_at_ms: 0,
            instance_id: None,
        }
    }
}
